import type { FixtureFileEntry } from "@copilotkit/aimock";
import { afterAll, describe, expect, test } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { startAimock } from "./aimock-process.ts";
import { openLab, type Lab } from "./lab.ts";
import { transcriptProblems, type WireMessage } from "./transcript-problems.ts";

// A model server that nobody here wrote, as a process of its own; what it does wrong is its own idea of a fault.

type Fixture = Omit<FixtureFileEntry, "match">;

const LONG = "A rather long answer, in several pieces, to whatever was asked.";
const pieces = { chunkSize: 6, latency: 5 };
const answer = (content: string): Fixture => ({ response: { content } });
const calls = (...toolCalls: readonly { name: string; arguments: string; id: string }[]): Fixture => ({
  response: { toolCalls: [...toolCalls] },
});
const calculate = (id: string, expression: string) => ({
  name: "calculate",
  arguments: JSON.stringify({ expression }),
  id,
});
const error = (status: number, more: { retryAfter?: number } = {}): Fixture => ({
  response: { error: { message: `error ${status}`, type: "server_error" }, status, ...more },
});
const cutStream: Fixture = { ...answer(LONG), ...pieces, truncateAfterChunks: 3 };
const terminated: Fixture = { ...answer(LONG), chunkSize: 6, latency: 30, disconnectAfterMs: 70 };
const cutCall: Fixture = { ...calls(calculate("c", "1+1")), ...pieces, truncateAfterChunks: 3 };
const malformed: Fixture = { ...answer(LONG), chaos: { malformedRate: 1 } };
const hungUp: Fixture = { ...answer(LONG), chaos: { disconnectRate: 1 } };
const empty = answer("");

/** What the server does, one reply after the other, and what the person gets to read. */
const cases: readonly {
  readonly word: string;
  readonly given: string;
  readonly replies: readonly Fixture[];
  readonly reads: string | RegExp;
  readonly kind?: "error";
}[] = [
  { word: "plain", given: "an answer", replies: [answer("Hello.")], reads: "Hello." },
  { word: "stream", given: "a stream in small pieces", replies: [{ ...answer(LONG), ...pieces }], reads: LONG },
  {
    word: "tool",
    given: "a tool call",
    replies: [calls(calculate("c1", "6*7")), answer("It is 42.")],
    reads: "It is 42.",
  },
  {
    word: "parallel",
    given: "parallel tool calls",
    replies: [calls(calculate("c1", "6*7"), calculate("c2", "2+3"), calculate("c3", "9/0")), answer("42 and 5.")],
    reads: "42 and 5.",
  },
  {
    word: "rounds",
    given: "several rounds of tools",
    replies: [calls(calculate("c1", "1")), calls(calculate("c1", "2"), calculate("c2", "3")), answer("Done.")],
    reads: "Done.",
  },
  {
    word: "limited",
    given: "429 with Retry-After",
    replies: [error(429, { retryAfter: 1 }), answer("Now.")],
    reads: "Now.",
  },
  {
    word: "burst",
    given: "a burst of 500",
    replies: [error(500), error(502), error(503), answer("Back.")],
    reads: "Back.",
  },
  { word: "cutoff", given: "a cut stream", replies: [cutStream, answer("Whole.")], reads: "Whole." },
  { word: "bare", given: "a bare `terminated`", replies: [terminated, answer("Whole.")], reads: "Whole." },
  { word: "halfcall", given: "a cut tool call", replies: [cutCall, answer("No tool.")], reads: "No tool." },
  { word: "broken", given: "a truncated body", replies: [malformed, answer("Whole.")], reads: "Whole." },
  { word: "hungup", given: "a connection closed at once", replies: [hungUp, answer("Here.")], reads: "Here." },
  { word: "silent", given: "an empty answer", replies: [empty, answer("Words.")], reads: "Words." },
  {
    word: "mixture",
    given: "everything at once, in the middle of a tool's work",
    replies: [cutStream, calls(calculate("c1", "6*7")), malformed, hungUp, error(500), answer("At last.")],
    reads: "At last.",
  },
  {
    word: "hopeless",
    given: "nothing but 500",
    replies: Array.from({ length: 5 }, () => error(500)),
    reads: /^The model .*\(error \w+\.\w+\)$/,
    kind: "error",
  },
  {
    word: "never",
    given: "a key it does not take",
    replies: [error(401)],
    reads: /^The model did not accept this bot's key/,
    kind: "error",
  },
];

const watched = { ...answer(LONG), chunkSize: 6, latency: 60, match: { userMessage: "(watched)" } };
const server = await startAimock(
  [
    watched,
    ...cases.flatMap(({ word, replies }) =>
      replies.map((reply, sequenceIndex) => ({ ...reply, match: { userMessage: `(${word})`, sequenceIndex } })),
    ),
  ],
  ["--strict"],
);
const lab = await openLab({ database: await testRedis(), modelUrl: server.url });
afterAll(async () => {
  await lab.close();
  await server.stop();
});

describe.concurrent("a model server written by others", () => {
  test.each(cases)(
    "that gives $given: the person gets one answer",
    async ({ word, replies, reads, kind = "answer" }) => {
      const chat = lab.conversation();
      const { id } = await lab.send(chat, `please (${word})`);
      const said = await lab.answerTo(chat, id);
      expect(said.kind).toBe(kind);
      expect(said.text).toMatch(reads);
      expect(await lab.status(chat, id)).toMatchObject({ status: kind === "error" ? "failed" : "answered" });
      const asked = await requestsAbout(word);
      // The waits in between are the server's and ours, the number of requests is exact.
      expect(asked).toHaveLength(replies.length);
      expect(asked.flatMap(({ messages }) => transcriptProblems(messages))).toEqual([]);
      expect(answersTo(lab, chat, id)).toBe(1);
    },
  );
});

test("the pieces of a stream are shown as they come", async () => {
  const chat = lab.conversation();
  const { id } = await lab.send(chat, "please (watched)");
  await lab.answerTo(chat, id);
  const shown = lab.events(chat).flatMap((event) => (event.type === "text.delta" ? [event.text] : []));
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.join("")).toBe(LONG);
});

test("chance decides over every request: every message gets one answer all the same", { timeout: 60_000 }, async () => {
  const rates = { drop: 0.15, malformed: 0.15, ratelimit: 0.1, disconnect: 0.15 };
  const chaos = Object.entries(rates).flatMap(([fault, rate]) => [`--chaos-${fault}`, String(rate)]);
  const wild = await startAimock(
    [
      { match: { userMessage: "sum", hasToolResult: false }, response: { toolCalls: [calculate("c", "6*7")] } },
      { match: { userMessage: "sum", hasToolResult: true }, response: { content: "It is 42." } },
    ],
    chaos,
  );
  const other = await openLab({ database: await testRedis(), modelUrl: wild.url });
  const chats = Array.from({ length: 12 }, () => other.conversation());
  const sent = await Promise.all(
    chats.flatMap((chat) => ["sum one", "sum two"].map(async (text) => ({ chat, ...(await other.send(chat, text)) }))),
  );
  const said = await Promise.all(sent.map(({ chat, id }) => other.answerTo(chat, id)));
  expect(said.filter(({ kind, text }) => !(kind === "answer" ? text === "It is 42." : kind === "error"))).toEqual([]);
  expect(said.some(({ kind }) => kind === "answer")).toBe(true);
  expect(sent.map(({ chat, id }) => answersTo(other, chat, id))).toEqual(sent.map(() => 1));
  await other.close();
  await wild.stop();
});

function answersTo(where: Lab, chat: ReturnType<Lab["conversation"]>, id: string): number {
  return where.said(chat).filter(({ answers }) => answers.some((each) => each === id)).length;
}

async function requestsAbout(word: string): Promise<{ readonly messages: readonly WireMessage[] }[]> {
  const requests = await server.requests();
  return requests
    .map(({ body }) => body as { readonly messages: readonly WireMessage[] })
    .filter(({ messages }) => JSON.stringify(messages.findLast(({ role }) => role === "user")).includes(`(${word})`));
}
