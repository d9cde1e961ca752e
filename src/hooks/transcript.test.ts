import { expect, test } from "vitest";
import { checkTranscript } from "./transcript.ts";

const user = { role: "user", content: "hi" };
const asking = (...ids: string[]) => ({
  role: "assistant",
  content: "",
  toolCalls: ids.map((id) => ({ id, name: "look", args: "{}" })),
});
const result = (callId: string) => ({ role: "tool", callId, content: "seen" });

test.each([
  { what: "a plain one", value: [{ role: "system", content: "" }, user] },
  { what: "calls with their results in any order", value: [user, asking("a", "b"), result("b"), result("a"), user] },
])("$what is taken", ({ value }) => {
  expect(checkTranscript(value)).toEqual({ messages: value });
});

test.each([
  { what: "no list", value: "hi", wrong: /^its messages do not fit/ },
  { what: "an unknown role", value: [{ role: "robot", content: "" }], wrong: /^its messages do not fit/ },
  { what: "nobody's message", value: [{ role: "system", content: "" }], wrong: /no message of a person/ },
  { what: "a call without its result", value: [user, asking("a"), user], wrong: /a call without its result \(a\)/ },
  { what: "an open call at the end", value: [user, asking("a")], wrong: /a call without its result \(a\)/ },
  { what: "a result without its call", value: [user, result("a")], wrong: /a result without its call \(a\)/ },
  { what: "two results for a call", value: [user, asking("a"), result("a"), result("a")], wrong: /without its call/ },
])("$what is not", ({ value, wrong }) => {
  expect(checkTranscript(value)).toEqual({ wrong: expect.stringMatching(wrong) });
});
