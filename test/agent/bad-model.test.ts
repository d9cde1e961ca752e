import { afterAll, describe, expect, test } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { openLab, type Lab } from "./lab.ts";
import { call, cut, hang, raw, refuse, say, type Reply } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
const hasty = await openLab({ database: await testRedis(), modelTimeoutMs: 400 });
afterAll(() => Promise.all([lab.close(), hasty.close()]));

const overloaded = refuse(503, { error: { message: "overloaded" } });
const empty = say("");
const garbage = raw("<html>It works!</html>");
const brokenEvent = raw('data: {"choices":[{"delta":{"content":"half\n\n');

/** How the model behaves towards one message, and what the person reads at last. */
const cases: readonly {
  readonly given: string;
  readonly lab?: Lab;
  readonly replies: readonly Reply[];
  readonly answer?: string;
  readonly failure?: { readonly code: string; readonly text: RegExp };
}[] = [
  { given: "garbage that is not JSON, then an answer", replies: [garbage, say("fine")], answer: "fine" },
  { given: "an event that is not JSON, then an answer", replies: [brokenEvent, say("fine")], answer: "fine" },
  { given: "a stream that breaks off, then an answer", replies: [cut("half an"), say("whole")], answer: "whole" },
  { given: "an empty answer, then one with words", replies: [empty, say("words")], answer: "words" },
  { given: "white space only, then words", replies: [say(" \n"), say("words")], answer: "words" },
  { given: "500 and 503, then an answer", replies: [refuse(500, "oops"), overloaded, say("back")], answer: "back" },
  { given: "no choices at all, then an answer", replies: [raw('{"choices":[]}'), say("some")], answer: "some" },
  { given: "a tool call without a name, then an answer", replies: [call({ name: "" }), say("sorry")], answer: "sorry" },
  {
    given: "a connection closed at once, then an answer",
    replies: [(response) => void response.destroy(), say("ok")],
    answer: "ok",
  },
  {
    given: "always an empty answer",
    replies: [empty, empty, empty, empty, empty],
    failure: { code: "empty-answer", text: /^The model sent back an empty answer\. \(error \w+\.\w+\)$/ },
  },
  {
    given: "always garbage",
    replies: [garbage, garbage, garbage, garbage, garbage],
    failure: { code: "garbled", text: /^The model sent back something unreadable\./ },
  },
  {
    given: "always overloaded",
    replies: [overloaded, overloaded, overloaded, overloaded, overloaded],
    failure: { code: "overloaded", text: /^The model is busy right now/ },
  },
  {
    given: "400",
    replies: [refuse(400, { error: { message: "no such thing sk-verysecret" } })],
    failure: { code: "bad-request", text: /^The model could not work with this request\. \(error/ },
  },
  {
    given: "401",
    replies: [refuse(401, { error: { message: "Incorrect API key provided: sk-verysecret" } })],
    failure: { code: "unauthorized", text: /^The model did not accept this bot's key/ },
  },
  {
    given: "a context that is too long",
    replies: [refuse(400, { error: { code: "context_length_exceeded", message: "too many tokens" } })],
    failure: { code: "context-too-long", text: /\/new starts a fresh one/ },
  },
  {
    given: "429 that asks for a whole day",
    replies: [refuse(429, { error: { message: "slow down" } }, { "retry-after": "86400" })],
    failure: { code: "rate-limited", text: /try again in a moment/ },
  },
  {
    given: "silence beyond every deadline",
    lab: hasty,
    replies: [hang, hang, hang, hang, hang],
    failure: { code: "timeout", text: /^The model took too long to answer\./ },
  },
  { given: "silence once, then an answer", lab: hasty, replies: [hang, say("awake")], answer: "awake" },
];

describe.concurrent("one message gets one clear answer and the next one is answered as ever", () => {
  test.each(cases.map((each, index) => ({ ...each, index })))("$given", async (given) => {
    const { lab: used = lab } = given;
    const { model } = used;
    const chat = used.conversation();
    const word = `case ${given.index}.`;
    model.when(word, ...given.replies);
    const { id } = await used.send(chat, word);
    const delivery = await used.answerTo(chat, id);
    if (given.failure === undefined) {
      expect(delivery).toMatchObject({ kind: "answer", text: given.answer });
      expect(await used.status(chat, id)).toMatchObject({
        status: "answered",
        answers: [{ text: given.answer }],
        error: undefined,
      });
    } else {
      expect(delivery).toMatchObject({ kind: "error", text: expect.stringMatching(given.failure.text) });
      expect(delivery.text).not.toContain("secret");
      expect(await used.status(chat, id)).toMatchObject({ status: "failed", error: { code: given.failure.code } });
    }
    expect(model.about(word)).toHaveLength(given.replies.length);
    const next = `after ${given.index}.`;
    model.when(next, say("as ever"));
    expect((await used.answerTo(chat, (await used.send(chat, next)).id)).text).toBe("as ever");
    expect(used.said(chat)).toHaveLength(2);
    expect((await used.status(chat, id))?.answers).toHaveLength(1);
  });

  test("429 with Retry-After is waited out without holding anything, then answered", async () => {
    const chat = lab.conversation();
    lab.model.when("busy hour", refuse(429, { error: { message: "slow down" } }, { "retry-after": "1" }), say("now"));
    const { id } = await lab.send(chat, "busy hour");
    expect((await lab.answerTo(chat, id)).text).toBe("now");
    expect(lab.model.request("busy hour", 2).at - lab.model.request("busy hour", 1).at).toBeGreaterThanOrEqual(1000);
    const runId = (await lab.status(chat, id))?.runId;
    expect(runId && (await lab.runtime().door.run(runId))).toMatchObject({ steps: [{ name: "ai_call_1", tries: 2 }] });
  });

  test("nothing of what a failing provider said reaches the person", async () => {
    const chat = lab.conversation();
    lab.model.when("leaky", refuse(500, { error: { message: "stack trace at /srv/model.py" } }), say("clean"));
    await lab.answerTo(chat, (await lab.send(chat, "leaky")).id);
    expect(JSON.stringify(lab.said(chat))).not.toContain("model.py");
  });
});
