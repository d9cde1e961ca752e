import fc from "fast-check";
import { expect, test } from "vitest";
import type { MessageId, RunId } from "../kernel/ids.ts";
import { contentOf, mailEntry, parseMailLine, withBody } from "./mail.ts";

const ID = fc.string({ minLength: 1 }).filter((id) => !/\s/.test(id));

test("an inbox entry is read back as it was written, and as the line of a journal that it becomes", () => {
  fc.assert(
    fc.property(
      ID,
      fc.constantFrom("alone" as const, "together" as const, "steer" as const),
      fc.json(),
      fc.oneof(ID, fc.constant("")),
      (id, mode, body, run) => {
        const mail = { id: id as MessageId, mode, body };
        const entry = mailEntry(mail, run as RunId | "");
        const runId = run === "" ? id : run;
        expect(parseMailLine(entry)).toEqual({ kind: "opened", runId, mail });
        expect(parseMailLine(`+${entry.slice(1)}`)).toEqual({ kind: "joined", runId, mail });
      },
    ),
  );
});

test.each(["a b", "a\n", "\t"])("a message cannot have the id %j: its entry could not be read back", (id) => {
  expect(() => mailEntry({ id: id as MessageId, mode: "alone", body: "1" }, "")).toThrow("holds white space");
});

test.each(["", ">", "nonsense", ">x", '={"s":"a b c"}', ">xm1 r 1"])("%j is no line of a message", (line) => {
  expect(parseMailLine(line)).toBeUndefined();
});

test.each([
  { body: '{"text":"hi"}', content: { id: "m1", text: "hi" } },
  { body: '{"id":"own"}', content: { id: "own" } },
  { body: "[1]", content: [1] },
  { body: "null", content: null },
  { body: '"hi"', content: "hi" },
])("the body $body says $content", ({ body, content }) => {
  expect(contentOf({ id: "m1" as MessageId, body })).toEqual(content);
});

test("a line gets another body and stays the line of its message", () => {
  const mail = { id: "m1" as MessageId, mode: "steer", body: '{"text":"a b"}' } as const;
  const line = withBody(mailEntry(mail, "r" as RunId), { text: "c d" });
  expect(parseMailLine(line)).toEqual({ kind: "opened", runId: "r", mail: { ...mail, body: '{"text":"c d"}' } });
});
