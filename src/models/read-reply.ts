import { OutsideError } from "../kernel/errors.ts";
import { addChunk, emptyDraft, type ReplyDraft } from "./assemble-reply.ts";
import type { Deadlines } from "./deadlines.ts";
import { EventReader, type ServerEvent } from "./sse.ts";
import { chunkSchema } from "./wire-reply.ts";

/** The provider reported an error in place of, or in the middle of, its reply. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
  readonly body: unknown;

  constructor(body: unknown) {
    super("the provider reported an error inside its reply");
    this.body = body;
  }
}

/** How to read one reply. */
export interface ReadOptions {
  /** Names the model and its address in errors. */
  readonly place: string;
  readonly deadlines: Deadlines;
  readonly idleMs: number;
  readonly onText: (delta: string) => void;
}

// An answer is some hundred kilobytes at most; a server that never stops must not fill the memory.
const MAX_CHARACTERS = 16_000_000;
// After the reply's last word only its usage and the end of the connection are to come, and neither is worth a wait.
const AFTER_FINISH_MS = 3000;
const AFTER_DONE_MS = 100;

/**
 * Reads a reply to its end: a stream of chunks, or one JSON body from a server that does not stream. Throws
 * `OutsideError` `cut-short`, `timeout` or `garbled`, or {@link ReportedError}.
 */
export async function readReply(body: AsyncIterable<Uint8Array> | null, options: ReadOptions): Promise<ReplyDraft> {
  const decoder = new TextDecoder();
  const draft = emptyDraft();
  const events = new EventReader();
  const stream = { events: 0, done: false };
  let json: string | undefined;
  let received = 0;

  const take = (text: string): void => {
    received += text.length;
    if (received > MAX_CHARACTERS)
      throw new OutsideError(`${options.place} sent more than ${MAX_CHARACTERS} characters`, { code: "garbled" });
    if (json !== undefined) json += text;
    else for (const event of events.push(text)) takeEvent(event, draft, stream, options);
  };

  try {
    for await (const bytes of fromConnection(body)) {
      const text = decoder.decode(bytes, { stream: true });
      // Judged by its first character, because content types are not reliable here.
      if (received === 0 && /^\s*[[{]/.test(text)) json = "";
      // Blank lines before the reply only keep the connection open.
      if (received > 0 || text.trim() !== "") take(text);
      waitForMore(draft, stream.done, options);
    }
    take(decoder.decode());
  } catch (error) {
    if (!(error instanceof BrokenConnection)) throw error;
    // What was to come after the end was only a formality.
    if (isComplete(draft, stream.done)) return draft;
    throw late(options, error.cause) ?? cutShort(options.place, error.cause);
  }

  if (json !== undefined) return takeBody(json, draft, options);
  for (const event of events.end()) takeEvent(event, draft, stream, options);
  if (isComplete(draft, stream.done)) return draft;
  if (received > 0 && stream.events === 0)
    throw new OutsideError(`${options.place} answered with something that is neither events nor JSON`, {
      code: "garbled",
      retry: { kind: "after" },
    });
  throw cutShort(options.place);
}

class BrokenConnection extends Error {
  override readonly name = "BrokenConnection";
}

/** Tells the connection's errors from ours: both would be thrown from the same loop. */
async function* fromConnection(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  try {
    yield* body ?? [];
  } catch (cause) {
    throw new BrokenConnection("the connection broke", { cause });
  }
}

function late(options: ReadOptions, cause: unknown): OutsideError | undefined {
  const passed = options.deadlines.passed();
  if (passed === undefined) return undefined;
  return new OutsideError(`${options.place} ${passed}`, { code: "timeout", retry: { kind: "after" }, cause });
}

function takeEvent(
  event: ServerEvent,
  draft: ReplyDraft,
  stream: { events: number; done: boolean },
  options: ReadOptions,
): void {
  if (stream.done) return;
  stream.events += 1;
  if (event.data.trim() === "[DONE]") {
    stream.done = true;
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(event.data);
  } catch {
    if (!event.whole) throw cutShort(options.place);
    throw garbled(options.place, "an event that is not JSON");
  }
  const text = takeChunk(value, event.name === "error", draft, options.place);
  if (text !== "") options.onText(text);
}

function takeBody(json: string, draft: ReplyDraft, options: ReadOptions): ReplyDraft {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw garbled(options.place, "a body that is not JSON");
  }
  const text = takeChunk(Array.isArray(value) ? value[0] : value, false, draft, options.place);
  if (text !== "") options.onText(text);
  return draft;
}

function takeChunk(value: unknown, isError: boolean, draft: ReplyDraft, place: string): string {
  const reported = errorIn(value);
  if (isError || reported !== undefined) throw new ReportedError(reported ?? value);
  const chunk = chunkSchema.safeParse(value);
  if (!chunk.success) throw garbled(place, "JSON that is no chat completion", chunk.error);
  return addChunk(draft, chunk.data);
}

function errorIn(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if ("error" in value && value.error) return value.error;
  // vLLM's older form: the error's fields lie on top.
  return "object" in value && value.object === "error" ? value : undefined;
}

function waitForMore(draft: ReplyDraft, done: boolean, options: ReadOptions): void {
  if (isComplete(draft, done))
    options.deadlines.waitFor(
      Math.min(done ? AFTER_DONE_MS : AFTER_FINISH_MS, options.idleMs),
      "did not end its reply",
    );
  else options.deadlines.waitFor(options.idleMs, "was silent in the middle of its answer");
}

function isComplete(draft: ReplyDraft, done: boolean): boolean {
  return done || draft.finish !== undefined;
}

function cutShort(place: string, cause?: unknown): OutsideError {
  return new OutsideError(`${place} broke off in the middle of its answer`, {
    code: "cut-short",
    retry: { kind: "after" },
    cause,
  });
}

/** Without the JSON parser's error as the cause: it quotes a piece of the text, and in it could be half a key. */
function garbled(place: string, what: string, cause?: unknown): OutsideError {
  return new OutsideError(`${place} sent ${what}`, { code: "garbled", retry: { kind: "after" }, cause });
}
