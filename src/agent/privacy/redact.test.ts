import { expect, test } from "vitest";
import { parseWorkspaceId } from "../../kernel/ids.ts";
import { othersSpeak, redactLines } from "./redact.ts";

const lea = new Set([parseWorkspaceId("lea")]);
const message = (who: string, text: string, more: object = {}) => ({
  id: `m-${text}`,
  conversationId: "c",
  workspaceId: who,
  text,
  at: 1,
  ...more,
});
const mailOf = ({ id, ...rest }: { readonly id: string }) => `-${id} RUN ${JSON.stringify(rest)}`;
const opened = (run: string, said: { readonly id: string }) => `>${mailOf(said).replace("RUN", run)}`;
const joined = (said: { readonly id: string }) => `+${mailOf(said)}`;
const step = (text: string) => `=${JSON.stringify({ s: "ai_call_1", v: { text }, at: 3, ms: 1 })}`;
const ended = (run: string, text?: string) => `.${JSON.stringify({ run, end: "done", at: 4, text })}`;
const gone = (text: string) => ({
  id: `m-${text}`,
  conversationId: "c",
  workspaceId: "deleted",
  authorName: "(deleted)",
  text: "(deleted)",
  at: 1,
});

const cases = [
  {
    what: "a run the person began loses what was said and done in it",
    lines: [opened("1", message("lea", "plum")), step("plum it is"), ended("1")],
    left: [opened("1", gone("plum")), `.${JSON.stringify({ run: "1", end: "done", at: 4, text: "(deleted)" })}`],
  },
  {
    what: "a run of somebody else stays, without what the person added",
    lines: [opened("1", message("max", "pear")), joined(message("lea", "plum")), step("pear"), ended("1", "pear")],
    left: [opened("1", message("max", "pear")), joined(gone("plum")), step("pear"), ended("1", "pear")],
  },
  {
    what: "a run that is not over keeps its steps",
    lines: [opened("1", message("lea", "plum")), step("thinking")],
    left: [opened("1", gone("plum")), step("thinking")],
  },
  {
    what: "a summary goes, whoever's run made it",
    lines: [opened("1", message("max", "pear")), '={"s":"summary","v":{"summary":{"text":"plum"}}}', step("pear")],
    left: [opened("1", message("max", "pear")), step("pear")],
  },
  {
    what: "a damaged line of messages goes: it may hold anybody's words",
    lines: ['>-m 1 {"text":"plum"', ended("1", "x")],
    left: ['#{"damaged":"(deleted)"}', ended("1", "x")],
  },
];
test.each(cases)("$what", ({ lines, left }) => {
  expect(redactLines(lines, lea)).toEqual(left);
});

test.each([
  { said: [message("lea", "a")], others: false },
  { said: [message("lea", "a"), message("max", "b")], others: true },
  { said: [message("lea", "a", { authorName: "Lea" })], others: true },
  { said: [], others: false },
])("others speak or read along: $others", ({ said, others }) => {
  expect(othersSpeak(said, lea)).toBe(others);
});
