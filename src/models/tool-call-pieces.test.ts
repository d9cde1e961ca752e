import { expect, test } from "vitest";
import { addCallPiece, type PartialCall } from "./tool-call-pieces.ts";

type Piece = [index: number | undefined, id: string | undefined, name: string | undefined, args: string | undefined];

const cases: readonly {
  readonly given: string;
  readonly pieces: readonly Piece[];
  readonly calls: readonly string[];
}[] = [
  {
    given: "one call as the standard says",
    pieces: [
      [0, "c1", "get", ""],
      [0, undefined, undefined, '{"a"'],
      [0, undefined, undefined, ":1}"],
    ],
    calls: ['c1 get {"a":1}'],
  },
  {
    given: "two interleaved calls",
    pieces: [
      [0, "c1", "get", ""],
      [1, "c2", "put", ""],
      [0, undefined, undefined, "{}"],
      [1, undefined, undefined, '{"b":2}'],
    ],
    calls: ["c1 get {}", 'c2 put {"b":2}'],
  },
  {
    given: "empty strings instead of missing fields",
    pieces: [
      [0, "c1", "get", ""],
      [0, "", "", '{"a":1}'],
    ],
    calls: ['c1 get {"a":1}'],
  },
  {
    given: "a head repeated in every piece",
    pieces: [
      [0, "c1", "get", '{"a"'],
      [0, "c1", "get", ":1}"],
      [0, "c1", "get", ""],
    ],
    calls: ['c1 get {"a":1}'],
  },
  {
    given: "index 0 for every parallel call, with ids",
    pieces: [
      [0, "c1", "get", '{"a":1}'],
      [0, "c2", "get", '{"a":2}'],
    ],
    calls: ['c1 get {"a":1}', 'c2 get {"a":2}'],
  },
  {
    given: "index 0 for every parallel call, without ids",
    pieces: [
      [0, "", "get", '{"a":1}'],
      [0, "", "get", '{"a":2}'],
    ],
    calls: ['get {"a":1}', 'get {"a":2}'],
  },
  {
    given: "index 0 for every parallel call, one id for all",
    pieces: [
      [0, "x", "get", '{"a":1}'],
      [0, "x", "put", '{"a":2}'],
    ],
    calls: ['x get {"a":1}', 'x put {"a":2}'],
  },
  {
    given: "no index, ids only in the first pieces",
    pieces: [
      [undefined, "c1", "get", ""],
      [undefined, undefined, undefined, '{"a":1}'],
      [undefined, "c2", "put", ""],
      [undefined, undefined, undefined, '{"b":2}'],
    ],
    calls: ['c1 get {"a":1}', 'c2 put {"b":2}'],
  },
  {
    given: "no index, ids in every piece, interleaved",
    pieces: [
      [undefined, "c1", "get", ""],
      [undefined, "c2", "put", ""],
      [undefined, "c1", undefined, '{"a":1}'],
      [undefined, "c2", undefined, "{}"],
    ],
    calls: ['c1 get {"a":1}', "c2 put {}"],
  },
  {
    given: "neither index nor id, whole calls",
    pieces: [
      [undefined, undefined, "get", '{"a":1}'],
      [undefined, undefined, "get", '{"a":1}'],
      [undefined, undefined, "put", "{}"],
    ],
    calls: ['get {"a":1}', 'get {"a":1}', "put {}"],
  },
  {
    given: "neither index nor id, in pieces",
    pieces: [
      [undefined, undefined, "get", ""],
      [undefined, undefined, undefined, '{"a"'],
      [undefined, undefined, undefined, ":1}"],
      [undefined, undefined, "put", ""],
      [undefined, undefined, undefined, "{}"],
    ],
    calls: ['get {"a":1}', "put {}"],
  },
  {
    given: "neither index nor id, the name in every piece",
    pieces: [
      [undefined, undefined, "get", ""],
      [undefined, undefined, "get", '{"a"'],
      [undefined, undefined, "get", ":1}"],
    ],
    calls: ['get {"a":1}'],
  },
  {
    given: "an index only in the first piece",
    pieces: [
      [0, "c1", "get", ""],
      [undefined, undefined, undefined, "{}"],
    ],
    calls: ["c1 get {}"],
  },
  {
    given: "a name cut in two",
    pieces: [
      [0, "c1", "get_", ""],
      [0, undefined, "weather", ""],
      [0, undefined, undefined, "{}"],
    ],
    calls: ["c1 get_weather {}"],
  },
  {
    given: "two parallel calls without arguments",
    pieces: [
      [0, "c1", "now", ""],
      [1, "c2", "now", ""],
    ],
    calls: ["c1 now", "c2 now"],
  },
  {
    given: "an id that comes late",
    pieces: [
      [0, "", "get", ""],
      [0, "c1", "", "{}"],
    ],
    calls: ["c1 get {}"],
  },
];

test.each(cases)("$given", ({ pieces, calls }) => {
  const received: PartialCall[] = [];
  for (const [index, id, name, args] of pieces)
    addCallPiece(received, { index, id, function: { name, arguments: args } });
  expect(received.map((call) => [call.id, call.name, call.args].filter(Boolean).join(" "))).toEqual(calls);
});
