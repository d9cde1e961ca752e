import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, expect, onTestFinished, test } from "vitest";
import type { Effect } from "../../src/tools/contract.ts";
import { testRedis } from "../setup/redis.ts";
import { effectTools } from "./effect-tools.ts";
import { openLab } from "./lab.ts";
import { call, refuse, say } from "./model-server.ts";

const database = await testRedis();

/** While set, a call waits until its worker stops; it is told when one has begun. */
let interrupted: (() => void) | undefined;

const lab = await openLab({
  database,
  idle: true,
  tools: effectTools(async (effect, { idempotencyKey }) => {
    await lab.redis.rpush(`calls:${effect}`, idempotencyKey);
    interrupted?.();
    return interrupted === undefined ? "done" : new Promise(() => {});
  }),
});
afterAll(() => lab.close());

const callsOf = async (effect: Effect) => lab.redis.lrange(`calls:${effect}`, 0, -1);
const WARNING = "Please check: do_once was interrupted and may or may not have taken effect. It was not repeated.";

test("after a kill in mid-call, what may be repeated is repeated with the same key, the rest is reported", async () => {
  const child = spawn(process.execPath, [new URL("./programs/dying-worker.ts", import.meta.url).pathname], {
    env: {
      PATH: process.env["PATH"],
      REDIS_PATH: database.path,
      REDIS_DB: String(database.db),
      MODEL_URL: lab.model.url,
    },
    stdio: "inherit",
  });
  const died = once(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  const sent = [];
  for (const effect of ["read", "idempotent", "once"] as const) {
    const chat = lab.conversation();
    lab.model.when(`please ${effect}`, call({ name: `do_${effect}` }), say(`The model on ${effect}.`));
    sent.push({ effect, chat, id: (await lab.send(chat, `please ${effect}`)).id });
  }
  expect(await died).toEqual([null, "SIGKILL"]);
  await lab.startWorker();

  for (const { effect, chat, id } of sent) {
    const { text } = await lab.answerTo(chat, id);
    const runId = (await lab.status(chat, id))?.runId;
    const key = `${runId}:tool_1_1`;
    const result = lab.model.about(`please ${effect}`)[1]?.messages.at(-1)?.content;
    if (effect === "once") {
      expect(await callsOf(effect)).toEqual([key]);
      expect(result).toMatch(/^Interrupted: .* nobody knows whether it took effect/);
      expect(text).toBe(`The model on once.\n\n${WARNING}`);
    } else {
      expect(await callsOf(effect)).toEqual([key, key]);
      expect(result).toBe("done");
      expect(text).toBe(`The model on ${effect}.`);
    }
    expect(lab.said(chat)).toHaveLength(1);
    expect((await lab.status(chat, id))?.answers).toHaveLength(1);
  }

  // What the person saw is what the model reads of it later, once.
  const chat = sent[2]?.chat ?? lab.conversation();
  lab.model.when("was it done", say("I do not know."));
  await lab.answerTo(chat, (await lab.send(chat, "was it done")).id);
  const later = lab.model
    .request("was it done")
    .messages.filter(({ content }) => content?.includes("The model on once."));
  expect(later.map(({ content }) => content)).toEqual([`The model on once.\n\n${WARNING}`]);
});

test("a restart in mid-call is no different, and the warning reaches the person even when the model fails", async () => {
  const chat = lab.conversation();
  const begun = Promise.withResolvers<void>();
  interrupted = () => begun.resolve();
  lab.model.when("restart me", call({ name: "do_once" }), refuse(400, { error: { message: "no" } }));
  const { id } = await lab.send(chat, "restart me");
  await begun.promise;
  interrupted = undefined;
  const before = (await callsOf("once")).length;
  await lab.restart();
  expect(await lab.answerTo(chat, id)).toMatchObject({
    kind: "error",
    text: expect.stringMatching(/^The model could not work with this request\. \(error \S+\)\n\nPlease check: do_once/),
  });
  expect(await callsOf("once")).toHaveLength(before);
});

test("a call that a restart interrupted and that may be repeated is repeated with the same key", async () => {
  const chat = lab.conversation();
  const begun = Promise.withResolvers<void>();
  interrupted = () => begun.resolve();
  lab.model.when("repeat me", call({ name: "do_idempotent" }), say("Done after all."));
  const { id } = await lab.send(chat, "repeat me");
  await begun.promise;
  interrupted = undefined;
  await lab.restart();
  expect((await lab.answerTo(chat, id)).text).toBe("Done after all.");
  const keys = (await callsOf("idempotent")).slice(-2);
  expect(keys[0]).toBe(keys[1]);
});
