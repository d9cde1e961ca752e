import fc from "fast-check";
import { expect, test } from "vitest";

const { createEventReader } = await import(new URL("./event-stream.js", import.meta.url).href);

test.each([
  ["an event", 'event: run.ended\ndata: {"a":1}\n\n', [{ event: "run.ended", id: undefined, data: '{"a":1}' }]],
  ["an event with an id", "event: delivery\nid: r1:x:0\ndata: 1\n\n", [{ event: "delivery", id: "r1:x:0", data: "1" }]],
  ["comments and retry", ": open\nretry: 1000\n\n: still here\n\n", []],
  ["several lines of data", "data: a\ndata: b\ndata\n\n", [{ event: "message", id: undefined, data: "a\nb\n" }]],
  ["no space after the colon", "data:a\n\n", [{ event: "message", id: undefined, data: "a" }]],
  ["other line ends", "data: a\r\n\r\ndata: b\r\r", [{ event: "message", id: undefined, data: "a" }]],
  ["an event that is not complete", "data: a\n", []],
  ["a byte order mark", "\uFEFFdata: a\n\n", [{ event: "message", id: undefined, data: "a" }]],
])("%s", (_given, text, events) => {
  expect(createEventReader().push(text)).toEqual(events);
});

test("events are the same in whatever pieces they come", () => {
  const whole = ': open\n\nevent: a\r\nid: 1\r\ndata: {"x": "é"}\r\n\r\ndata: b\r\rdata: c\ndata: d\n\n: x\n\n';
  const expected = createEventReader().push(`${whole}\n`);
  expect(expected).toHaveLength(3);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
      const reader = createEventReader();
      const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
      expect([...pieces, "\n"].flatMap((piece) => reader.push(piece))).toEqual(expected);
    }),
  );
});
