import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { createApiClient, watchDeliveries } from "./api-client.ts";
import { strayKeys } from "./keys.ts";
import { startParley, type ParleyProcess } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";

interface Card {
  readonly id: string;
  readonly state: string;
  readonly decided_by: string | null;
}

/** A Redis, a model and a world that counts; processes of the program come and go. */
async function stage() {
  const server = await privateRedis({ args: ["--appendonly", "yes"] });
  const redis = new Redis({ path: server.socketPath });
  onTestFinished(() => redis.disconnect());
  const world = await startOutsideWorld(() => 0);
  onTestFinished(() => world.stop());
  const env = { AI_URL: world.modelUrl, EFFECT_URL: world.effectUrl, REDIS_URL: server.socketPath };
  const watching = new AbortController();
  onTestFinished(() => watching.abort());

  return {
    redis,
    world,
    start: (more: Record<string, string> = {}) => startParley({ ...env, ...more }),
    /** Sends a message whose model calls a tool that asks, and resolves with the card once it is delivered. */
    putUp: async (process: ParleyProcess, name: string): Promise<Card> => {
      const heard = Promise.withResolvers<void>();
      const seen = await watchDeliveries(process.url, `api:${name}`, {
        signal: watching.signal,
        onDelivery: () => heard.resolve(),
      });
      await createApiClient(process.url).send({ user_id: name, message_id: name, text: `${name} buy` });
      await heard.promise;
      expect(seen).toHaveLength(1);
      const [card] = await openCards(process, name);
      if (card === undefined) throw new Error("no card is open");
      return card;
    },
    /** Resolves when the message is answered, with what it was answered and how often the effect took place. */
    outcome: async (process: ParleyProcess, name: string) => {
      const client = createApiClient(process.url);
      await expect.poll(async () => (await client.message(name)).status, { timeout: 30_000 }).toBe("answered");
      const { answers } = await client.message(name);
      const done = world.effects.filter(({ tool, message }) => tool === "buy" && message === name).length;
      return { answers: answers.map(({ text }) => text), done };
    },
  };
}

async function openCards({ url }: ParleyProcess, name: string): Promise<readonly Card[]> {
  const response = await fetch(`${url}/v1/conversations/api:${name}/approvals`);
  return ((await response.json()) as { data: Card[] }).data;
}

async function decide({ url }: ParleyProcess, id: string, decision: "approve" | "deny", user?: string) {
  const response = await fetch(`${url}/v1/approvals/${id}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ decision, ...(user === undefined ? {} : { user_id: user }) }),
  });
  return { status: response.status, body: (await response.json()) as Partial<Card> & { error?: { message: string } } };
}

async function killed({ child, ended }: ParleyProcess): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}

test("an approval asked, the process killed, approved after the restart: made once; a stranger and a second click change nothing", async () => {
  const { redis, start, putUp, outcome } = await stage();
  const first = await start();
  const card = await putUp(first, "ann");
  await killed(first);
  const second = await start();
  expect(await openCards(second, "ann")).toMatchObject([{ id: card.id, state: "open" }]);
  expect(await decide(second, card.id, "approve", "mallory")).toMatchObject({ status: 403 });
  expect(await openCards(second, "ann")).toHaveLength(1);
  expect(await decide(second, card.id, "approve", "ann")).toMatchObject({
    status: 200,
    body: { state: "approved", decided_by: "ann" },
  });
  expect(await outcome(second, "ann")).toEqual({ answers: ["done ann: buy"], done: 1 });
  expect(await decide(second, card.id, "deny", "ann")).toMatchObject({
    status: 409,
    body: { error: { message: "Nothing was changed: this is approved by ann" } },
  });
  expect(await outcome(second, "ann")).toMatchObject({ done: 1 });
  expect(await redis.hlen("{p0}own")).toBe(0);
  expect(await strayKeys(redis)).toEqual([]);
});

test("an approval asked, the process killed, denied after the restart: not made", async () => {
  const { redis, start, putUp, outcome } = await stage();
  const first = await start();
  const card = await putUp(first, "bea");
  await killed(first);
  const second = await start();
  expect(await decide(second, card.id, "deny", "bea")).toMatchObject({ status: 200, body: { state: "denied" } });
  expect(await outcome(second, "bea")).toEqual({ answers: ["done bea: buy"], done: 0 });
  expect(await strayKeys(redis)).toEqual([]);
});

test("an approval asked, the process killed, its time over before the restart: not made, and a late click says so", async () => {
  const { redis, start, putUp, outcome } = await stage();
  const first = await start({ APPROVAL_S: "1" });
  const card = await putUp(first, "cleo");
  await killed(first);
  await expect.poll(async () => redis.pttl(`{p0}ap:${card.id}`)).toBeLessThan(48 * 3_600_000);
  const second = await start({ APPROVAL_S: "1" });
  expect(await decide(second, card.id, "approve", "cleo")).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining("expired") as string } },
  });
  expect(await outcome(second, "cleo")).toEqual({ answers: ["done cleo: buy"], done: 0 });
  expect(await strayKeys(redis)).toEqual([]);
});

test("two processes are clicked at the same moment, one yes, one no: one of them counts and both say which", async () => {
  const { start, putUp, outcome } = await stage();
  const [one, two] = await Promise.all([start(), start()]);
  for (const name of ["dora-1", "dora-2", "dora-3", "dora-4"]) {
    const { id } = await putUp(one, name);
    const clicks = await Promise.all([decide(one, id, "approve", name), decide(two, id, "deny", name)]);
    expect(clicks.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const approved = clicks[0].status === 200;
    expect(clicks.find(({ status }) => status === 409)?.body.error?.message).toContain(
      approved ? "approved" : "denied",
    );
    expect(await outcome(two, name)).toEqual({ answers: [`done ${name}: buy`], done: approved ? 1 : 0 });
  }
});

test("the process that was approved dies in the middle of the call: it is not made again, and the person is told", async () => {
  const { world, start, putUp, outcome } = await stage();
  const first = await start();
  const card = await putUp(first, "eve");
  world.onRequest = async (path) => {
    if (path !== "/effect") return;
    await killed(first);
  };
  await decide(first, card.id, "approve", "eve").catch(() => undefined);
  await first.ended;
  world.onRequest = () => undefined;
  const second = await start();
  const { answers, done } = await outcome(second, "eve");
  expect(done).toBe(1);
  expect(answers[0]).toContain("Please check: buy was interrupted");
});
