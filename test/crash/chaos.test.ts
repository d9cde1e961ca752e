import { once } from "node:events";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { createApiClient, watchDeliveries, type SeenDelivery } from "./api-client.ts";
import { strayKeys } from "./keys.ts";
import { loadSpare, startParley, type ParleyProcess } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";

const MESSAGES = 500;
const PEOPLE = 50;
const TOOLS = ["look", "put", "pay"];

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test(`${MESSAGES} messages while workers are killed at random: each is answered exactly once and in order`, async () => {
  const seed = Number(process.env["PARLEY_SEED"] ?? Date.now() % 100_000);
  const random = seeded(seed);
  const server = await privateRedis({ args: ["--appendonly", "yes", "--maxmemory-policy", "noeviction"] });
  const redis = new Redis({ path: server.socketPath });
  onTestFinished(() => redis.disconnect());
  const world = await startOutsideWorld(() => 40 + random() * 160);
  onTestFinished(() => world.stop());
  const env = { REDIS_URL: server.socketPath, AI_URL: world.modelUrl, EFFECT_URL: world.effectUrl };

  const api = await startParley({ ...env, PARLEY_ROLES: "api" });
  const client = createApiClient(api.url);
  const workers: ParleyProcess[] = await Promise.all([1, 2].map(() => startParley({ ...env, PARLEY_ROLES: "worker" })));

  const watching = new AbortController();
  onTestFinished(() => watching.abort());
  const conversations = Array.from({ length: PEOPLE }, (_, index) => `api:person-${index}`);
  const watched = new Map<string, readonly SeenDelivery[]>();
  let delivered = 0;
  const { promise: allDelivered, resolve: onAllDelivered } = Promise.withResolvers<void>();
  const onDelivery = () => {
    delivered++;
    if (delivered === MESSAGES) onAllDelivered();
  };
  for (const conversation of conversations)
    watched.set(conversation, await watchDeliveries(api.url, conversation, { signal: watching.signal, onDelivery }));

  const sent: { id: string; person: number; script: string }[] = [];
  let kills = 0;
  let done = false;
  const killing = (async () => {
    let spare = loadSpare({ ...env, PARLEY_ROLES: "worker" });
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 400));
      const replacement = await spare;
      const index = random() < 0.5 ? 0 : 1;
      const victim = workers[index];
      if (done || victim === undefined) return;
      victim.child.kill("SIGKILL");
      await victim.ended;
      kills++;
      spare = loadSpare({ ...env, PARLEY_ROLES: "worker" });
      workers[index] = await replacement.begin();
    }
  })();

  for (let number = 0; number < MESSAGES; number++) {
    const person = number % PEOPLE;
    const tools = Array.from({ length: Math.floor(random() * 4) }, () => TOOLS[Math.floor(random() * 3)] ?? "look");
    const script = [`m${number}`, ...tools].join(" ");
    sent.push({ id: `m${number}`, person, script });
    await client.send({ user_id: `person-${person}`, message_id: `m${number}`, text: script });
  }

  await Promise.race([allDelivered, once(AbortSignal.timeout(150_000), "abort")]);
  done = true;
  await killing;

  const problems: string[] = [];
  for (const { id, script } of sent) {
    const view = await client.message(id);
    if (view.status !== "answered" || view.answers.length !== 1)
      problems.push(`${id} is ${view.status} with ${view.answers.length} answers`);
    const [, ...tools] = script.split(" ");
    if (view.answers[0]?.text.startsWith(`done ${id}: ${tools.join(" ")}`) !== true)
      problems.push(`${id} was answered "${view.answers[0]?.text}"`);
    const run = view.run_id === null ? undefined : await client.run(view.run_id);
    const names = run?.steps.map((step) => step.name) ?? [];
    if (new Set(names).size !== names.length) problems.push(`${id} recorded a step twice: ${names.join(" ")}`);
    // Long conversations are summed up now and then, beside the answer.
    const own = names.filter((name) => name !== "summary");
    if (own.length !== tools.length * 2 + 1) problems.push(`${id} has the steps ${own.join(" ")}`);
  }
  for (const [person, conversation] of conversations.entries()) {
    const expected = sent.filter((message) => message.person === person).map((message) => message.id);
    const answered = (watched.get(conversation) ?? []).map(({ text }) => /^done (m\d+)/.exec(text)?.[1] ?? text);
    if (answered.join() !== expected.join())
      problems.push(`${conversation} saw ${answered.join()} for ${expected.join()}`);
    const transcript = await client.transcript(conversation);
    const roles = transcript.map((message) => message.role).join();
    if (roles !== expected.map(() => "user,assistant").join()) problems.push(`${conversation} reads ${roles}`);
  }
  const paid = new Map<string, number>();
  for (const effect of world.effects.filter((each) => each.tool === "pay"))
    paid.set(effect.key, (paid.get(effect.key) ?? 0) + 1);
  for (const [key, count] of paid) if (count > 1) problems.push(`the once effect ${key} happened ${count} times`);

  expect(problems, `seed ${seed}, ${kills} kills`).toEqual([]);
  expect(await redis.hlen("{p0}own"), "lanes that are not idle").toBe(0);
  expect(await strayKeys(redis)).toEqual([]);
  console.log(
    `chaos: seed ${seed}, ${MESSAGES} messages, ${kills} kills, ${world.modelCalls()} model calls, ${world.effects.length} effects`,
  );
});
