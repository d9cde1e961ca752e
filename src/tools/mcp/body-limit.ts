import { OutsideError } from "../../kernel/errors.ts";

/**
 * Passes a response body on until it is too large: as a whole, or, for a stream of events without an end, between two
 * empty lines. Counts what is really read, so compression hides nothing.
 */
export function limitBody(maxBytes: number, endless: boolean): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  let atLineStart = true;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (endless) {
        const tail = bytesAfterEvent(chunk, atLineStart);
        if (tail !== undefined) size = tail;
        atLineStart = endsLine(chunk, atLineStart);
      }
      if (size > maxBytes) throw new OutsideError(`the answer is larger than ${maxBytes} bytes`, { code: "too-large" });
      controller.enqueue(chunk);
    },
  });
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** How many bytes follow the last empty line; undefined when there is none. */
function bytesAfterEvent(chunk: Uint8Array, atLineStart: boolean): number | undefined {
  let lineStart = atLineStart;
  let after: number | undefined;
  for (let index = 0; index < chunk.length; index += 1) {
    const byte = chunk[index];
    if (byte === LINE_FEED && lineStart) after = chunk.length - index - 1;
    if (byte !== CARRIAGE_RETURN) lineStart = byte === LINE_FEED;
  }
  return after;
}

function endsLine(chunk: Uint8Array, before: boolean): boolean {
  const last = chunk.findLast((byte) => byte !== CARRIAGE_RETURN);
  return last === undefined ? before : last === LINE_FEED;
}
