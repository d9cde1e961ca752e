import { expect, test } from "vitest";
import { createDraft } from "./draft.ts";

const piece = (text: string, options: { step?: string; reset?: true } = {}) => ({
  type: "text.delta" as const,
  run_id: "r1",
  step: "ai_call_1",
  text,
  ...options,
});
const answer = (text: string, id = "r1:ai_call_1:0") => ({ id, text });

test("a text shown in pieces is not shown again when it is delivered", () => {
  const draft = createDraft();
  expect(draft.add(piece("Hel", { reset: true }))).toEqual({ text: "Hel", anew: true });
  expect(draft.add(piece("lo"))).toEqual({ text: "lo", anew: false });
  expect(draft.finish(answer("Hello"))).toEqual({ text: "", continues: true });
});

test("what was added after the last piece is what is left", () => {
  const draft = createDraft();
  draft.add(piece("Hello", { reset: true }));
  expect(draft.finish(answer("Hello\n\nPlease check."))).toEqual({ text: "\n\nPlease check.", continues: true });
});

test("a new attempt begins anew, and the delivery is compared with that one", () => {
  const draft = createDraft();
  draft.add(piece("Half a", { reset: true }));
  expect(draft.add(piece("Whole", { reset: true }))).toEqual({ text: "Whole", anew: true });
  expect(draft.finish(answer("Whole."))).toEqual({ text: ".", continues: true });
});

test("a later step begins anew", () => {
  const draft = createDraft();
  draft.add(piece("Let me see.", { reset: true }));
  expect(draft.add(piece("It is 4.", { step: "ai_call_2", reset: true }))).toEqual({ text: "It is 4.", anew: true });
  expect(draft.finish(answer("It is 4.", "r1:ai_call_2:0"))).toEqual({ text: "", continues: true });
});

test("a delivery that does not continue the text is shown whole", () => {
  const draft = createDraft();
  draft.add(piece("Hel", { reset: true }));
  expect(draft.finish(answer("Stopped.", "r1:stop:0"))).toEqual({ text: "Stopped.", continues: false });
});

test("what another run says leaves the text alone", () => {
  const draft = createDraft();
  draft.add(piece("Hel", { reset: true }));
  expect(draft.finish(answer("I am working.", "r2:command:0"))).toEqual({ text: "I am working.", continues: false });
  expect(draft.add(piece("lo"))).toEqual({ text: "lo", anew: false });
  expect(draft.finish(answer("Hello"))).toEqual({ text: "", continues: true });
});

test("after a gap nothing is shown until a text begins, and the delivery is whole", () => {
  const draft = createDraft();
  draft.add(piece("Hel", { reset: true }));
  draft.gap();
  expect(draft.add(piece("rld"))).toBeUndefined();
  expect(draft.finish(answer("Hello world"))).toEqual({ text: "Hello world", continues: false });
  expect(draft.add(piece("Next", { reset: true }))).toEqual({ text: "Next", anew: true });
});

test("a text that is joined in its middle is shown only when it is delivered", () => {
  const draft = createDraft();
  expect(draft.add(piece("the end"))).toBeUndefined();
  expect(draft.add(piece(" of it"))).toBeUndefined();
  expect(draft.finish(answer("All the end of it"))).toEqual({ text: "All the end of it", continues: false });
});
