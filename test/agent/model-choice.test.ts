import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { createModelClient } from "../../src/models/client.ts";
import type { ModelClient } from "../../src/models/contract.ts";
import { createModelPool, type ModelPool } from "../../src/models/failover.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { refuse, say, startModelServer } from "./model-server.ts";

const server = await startModelServer();
let pool = poolOf(["small", "large"]);
const model: ModelClient = { ask: (request) => pool.ask(request) };
const lab = await openLab({
  database: await testRedis(),
  more: {
    model,
    models: {
      list: () => pool.list(),
      names: () => pool.choose({ purpose: "chat" }).map(({ name }) => name),
    },
  },
});
afterAll(async () => {
  await lab.close();
  await server.stop();
});

function poolOf(names: readonly string[]): ModelPool {
  const parts = { log: silentLog, clock: systemClock };
  const models = names.map((name) => ({ name, model: `${name}-1`, timeoutMs: 5_000 }));
  return createModelPool({
    ...parts,
    models,
    clients: new Map(
      models.map((each) => [
        each.name,
        createModelClient({ url: server.url, model: each.model, timeoutMs: each.timeoutMs, ...parts }),
      ]),
    ),
    breaker: {
      pass: () => Promise.resolve({ kind: "go", failures: 0 }),
      look: () => Promise.resolve({ kind: "go", failures: 0 }),
      report: () => Promise.resolve(),
    },
    newId: () => "token",
  });
}

const tell = async (chat: ReturnType<typeof lab.conversation>, text: string) =>
  (await lab.answerTo(chat, (await lab.send(chat, text)).id)).text;
const askedModel = (word: string, number = 1) =>
  (JSON.parse(server.request(word, number).raw) as { model: string }).model;

describe("/model", () => {
  test("chooses a model for its conversation alone, and the others step in behind it", async () => {
    const [chat, other] = [lab.conversation(), lab.conversation()];
    expect(await tell(chat, "/model LARGE")).toBe(
      "From now on large is asked first in this conversation; the others step in when it fails.",
    );
    server.when("who is it", say("Me."));
    server.when("and elsewhere", say("Me too."));
    server.when("when it fails", refuse(500, { error: { message: "broken" } }), say("I stepped in."));
    await tell(chat, "who is it");
    await tell(other, "and elsewhere");
    expect([askedModel("who is it"), askedModel("and elsewhere")]).toEqual(["large-1", "small-1"]);
    expect(await tell(chat, "when it fails")).toBe("I stepped in.");
    expect([askedModel("when it fails"), askedModel("when it fails", 2)]).toEqual(["large-1", "small-1"]);
    expect(await tell(chat, "/status")).toContain("Model: large.");
    expect(await tell(other, "/status")).toContain("Model: small (the default).");
    expect(await tell(chat, "/model default")).toBe("From now on this conversation uses the default.");
    server.when("back again", say("Yes."));
    await tell(chat, "back again");
    expect(askedModel("back again")).toBe("small-1");
  });

  test("lists the models, and for an unknown name those there are", async () => {
    const chat = lab.conversation();
    expect(await tell(chat, "/model")).toBe(
      "This conversation uses the default, small.\n- small (small-1)\n- large (large-1)\n/model <name> chooses one for this conversation, /model default undoes it.",
    );
    expect(await tell(chat, "/model huge")).toBe('There is no model "huge". Choose one of: small, large, or default.');
  });

  test("that is removed from the settings gives way to the default, which is said once", async () => {
    const chat = lab.conversation();
    await tell(chat, "/model large");
    pool = poolOf(["small"]);
    onTestFinished(() => void (pool = poolOf(["small", "large"])));
    server.when("first after", say("First."));
    server.when("second after", say("Second."));
    expect(await tell(chat, "first after")).toBe(
      "First.\n\n(The model large, chosen for this conversation, is no longer available; the default is used.)",
    );
    expect(askedModel("first after")).toBe("small-1");
    expect(await tell(chat, "second after")).toBe("Second.");
  });
});
