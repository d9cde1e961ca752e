import fc from "fast-check";
import { expect, test } from "vitest";
import { EventReader, type ServerEvent } from "./sse.ts";

function readAll(pieces: readonly string[]): ServerEvent[] {
  const reader = new EventReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

const STREAM = ': hello\n\ndata: {"a":1}\n\nevent: error\r\ndata:no\r\ndata: space\r\n\r\ndata: [DONE]\n\n';
const EVENTS = [
  { name: "", data: '{"a":1}', whole: true },
  { name: "error", data: "no\nspace", whole: true },
  { name: "", data: "[DONE]", whole: true },
];

test("reads comments, event names, several data lines and every kind of line end", () => {
  expect(readAll([STREAM])).toEqual(EVENTS);
  expect(readAll(["data: a\r\rdata: b\r\r"]).map((event) => event.data)).toEqual(["a", "b"]);
});

test("finds the same events however the stream is cut into pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const pieces = places.slice(1).map((end, i) => STREAM.slice(places[i], end));
      expect(readAll(pieces)).toEqual(EVENTS);
    }),
  );
});

test("an event whose closing blank line is missing is given out at the end and marked", () => {
  expect(readAll(['data: {"a":'])).toEqual([{ name: "", data: '{"a":', whole: false }]);
  expect(readAll(["data: x\n"])).toEqual([{ name: "", data: "x", whole: false }]);
});

test("lines without data make no event", () => {
  expect(readAll(["event: ping\n\n", "id: 3\n\n", "<html></html>\n\n"])).toEqual([]);
});
