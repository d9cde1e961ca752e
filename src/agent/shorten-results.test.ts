import { expect, test } from "vitest";
import type { ChatMessage } from "../models/contract.ts";
import { shortenResults } from "./shorten-results.ts";

const result = (content: string): ChatMessage => ({ role: "tool", callId: "c", content });
const count = (text: string) => text.length;
const lengths = (messages: readonly ChatMessage[]) => messages.map(({ content }) => content.length);
const head: ChatMessage = { role: "assistant", content: "x".repeat(5000) };

test.each([
  { given: "one result", sizes: [1000], excess: 300, left: [700] },
  { given: "several that are equal", sizes: [1000, 1000], excess: 1000, left: [500, 500] },
  { given: "a short one beside a huge one", sizes: [300, 3000], excess: 2000, left: [300, 1000] },
  { given: "more than can be spared", sizes: [1000, 100], excess: 5000, left: [200, 100] },
  { given: "nothing to spare", sizes: [1000, 100], excess: 0, left: [1000, 100] },
])("$given: cut to $left", ({ sizes, excess, left }) => {
  const cut = shortenResults([head, ...sizes.map((size) => result("y".repeat(size)))], excess, count);
  expect(lengths(cut)).toEqual([5000, ...left]);
});

test("what was cut says so, and no character is halved", () => {
  for (let chars = 0; chars < 8; chars++) {
    const [cut] = shortenResults([result("\u{1f600}".repeat(500) + "z".repeat(chars))], 400 + chars, count);
    expect(cut?.content).toMatch(/\n\(Only the beginning: 100\d characters do not fit into the context\.\)$/);
    expect(cut?.content.isWellFormed()).toBe(true);
  }
});
