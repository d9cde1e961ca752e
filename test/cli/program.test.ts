import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { probeRedis } from "../../src/store/redis-probe.ts";
import { privateRedis } from "../setup/redis.ts";
import { runHere } from "./in-process.ts";
import { beginCli, runCli, startBot, temporaryFolder } from "./processes.ts";

const LABEL = "\n\n— offline demo model";
const redis = await privateRedis({ until: afterAll });
const bot = await startBot({ REDIS_URL: redis.socketPath, PARLEY_DATA: temporaryFolder(afterAll) }, afterAll);

/** A port on which nothing listens. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return String(typeof address === "object" ? address?.port : "");
}

/** Resolves after so many steps have begun in a conversation. */
async function untilSteps(events: string, count: number): Promise<void> {
  const { body } = await fetch(events);
  let seen = "";
  for await (const bytes of body ?? []) {
    seen += Buffer.from(bytes).toString();
    if (seen.split("event: run.progress").length > count) return;
  }
}

describe("chat, between pipes", () => {
  test("every line is answered in order, and only the answers are printed", async () => {
    const input = "what is 2+2\n\nremember that my dog is Rex\r\nwhat is my dog?\n";
    const { out, err, code } = await runCli(["chat", "--user", "ann"], { env: { PORT: bot.port }, input });
    expect(err).toBe("");
    expect(out).toBe(`2+2 = 4${LABEL}\n\nI will remember that dog is Rex.${LABEL}\n\nYour dog is Rex.${LABEL}\n`);
    expect(code).toBe(0);
  });

  test("the next line answers a question, by its number where there are choices", async () => {
    const { out, code } = await runHere(["chat", "--url", bot.url, "--user", "bob"], {
      input: "ask me whether tea or coffee\n2\n/where\n/quit\nnever sent\n",
    });
    expect(out).toContain("Which one: tea or coffee?\n  1. tea\n  2. coffee\n\nYou answered: coffee");
    expect(out).toContain("Conversation terminal:bob on terminal; your workspace is bob.");
    expect(out).not.toContain("never sent");
    expect(code).toBe(0);
  });

  test("a question that nobody answers is no success", async () => {
    const { out, err, code } = await runHere(["chat", "--url", bot.url, "--user", "cy"], {
      input: "ask me for my name\n",
    });
    expect(out).toBe("What is your name?\n");
    expect(err).toContain("a message waits for the answer to a question; give it with parley chat --user cy");
    expect(code).toBe(1);
  });

  test("what could control a terminal is made visible", async () => {
    const { out } = await runHere(["chat", "--url", bot.url], { input: "echo \u001B[31mred\u001B]0;x\u0007\n" });
    expect(out).toBe(`␛[31mred␛]0;x␇${LABEL}\n`);
  });

  test("a bot that is killed in the middle of a run and started again answers once", { timeout: 60_000 }, async () => {
    const { socketPath } = await privateRedis();
    const env = { REDIS_URL: socketPath, PARLEY_DATA: temporaryFolder() };
    const first = await startBot(env);
    const { child, done } = beginCli(["chat", "--url", first.url, "--user", "di"]);
    const watched = untilSteps(`${first.url}/v1/conversations/terminal:di/events`, 6);
    child.stdin.end("run a long job of 12 steps\nwhat is 3+3\n");
    await watched;
    await first.kill();
    await startBot({ ...env, PORT: first.port });
    const numbers = Array.from({ length: 12 }, (_, step) => step + 1).join(", ");
    const { out, err, code } = await done;
    expect(err).toBe("");
    expect(out).toBe(`Done: 12 of 12 steps, one tool call each: ${numbers}.${LABEL}\n\n3+3 = 6${LABEL}\n`);
    expect(code).toBe(0);
  });
});

describe("chat, without a bot", () => {
  test("it runs one itself, says so, and keeps what was said for the next time", { timeout: 60_000 }, async () => {
    const data = temporaryFolder();
    const port = await freePort();
    const env = { PARLEY_DATA: data, PORT: port };
    const first = await runCli(["chat", "--user", "eve"], { env, input: "remember that my cat is Tom\n" });
    expect(first).toMatchObject({ out: `I will remember that cat is Tom.${LABEL}\n`, code: 0 });
    expect(first.err).toContain(
      `No bot answers at http://127.0.0.1:${port}: this chat runs one itself, until it ends. Warnings go to ${join(data, "chat.log")}.`,
    );
    expect(await probeRedis(join(data, "redis/redis.sock"))).toBe("nothing");
    const second = await runCli(["chat", "--user", "eve"], { env, input: "what is my cat?\n" });
    expect(second.out).toBe(`Your cat is Tom.${LABEL}\n`);
  });

  test("a signal ends it together with its bot", { timeout: 60_000 }, async () => {
    const data = temporaryFolder();
    const { child, done } = beginCli(["chat"], { PARLEY_DATA: data, PORT: await freePort() });
    await once(child.stderr, "data");
    child.kill("SIGTERM");
    expect((await done).code).toBe(143);
    expect(await probeRedis(join(data, "redis/redis.sock"))).toBe("nothing");
  });

  test("with --url it does not run one", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await runHere(["chat", "--url", url])).toEqual({
      out: "",
      err: `parley: nothing answers at ${url}; is the bot running there?\n`,
      code: 1,
    });
  });
});

describe("status", () => {
  test("a bot that works is ready", async () => {
    const { out, code } = await runCli(["status"], { env: { PORT: bot.port } });
    expect(out).toBe(`address  ${bot.url}\nanswers  yes\nready    yes\nredis    ok\nworker   ok\n`);
    expect(code).toBe(0);
    const json = await runHere(["status", "--json", "--url", bot.url]);
    expect(JSON.parse(json.out)).toEqual({
      url: bot.url,
      alive: true,
      ready: true,
      checks: { redis: "ok", worker: "ok" },
      problem: null,
      advice: null,
    });
  });

  test("nobody there: it says so and what to do", async () => {
    const port = await freePort();
    const { out, code } = await runHere(["status"], { env: { PORT: port } });
    expect(out).toContain(
      `http://127.0.0.1:${port} cannot be reached (nothing listens there).\nStart the bot with npm start`,
    );
    expect(code).toBe(1);
  });

  test("a bot without its Redis is not ready", async () => {
    const own = await privateRedis();
    const lame = await startBot({ REDIS_URL: own.socketPath, PARLEY_DATA: temporaryFolder() });
    await own.kill();
    const { out, code } = await runHere(["status", "--url", lame.url]);
    expect(out).toMatch(/answers {2}yes\nready {4}no\n[\s\S]*Not ready: [\s\S]*Check that Redis runs/);
    expect(code).toBe(1);
  });
});

test("keys are made, used, listed without themselves, and taken back", async () => {
  const { socketPath } = await privateRedis();
  const admin = "admin-key-of-this-test";
  const guarded = await startBot({ REDIS_URL: socketPath, PARLEY_DATA: temporaryFolder(), PARLEY_API_KEY: admin });
  const run = (args: string[], key: string, input?: string) =>
    runHere([...args, "--url", guarded.url], {
      env: key === "" ? {} : { PARLEY_API_KEY: key },
      ...(input === undefined ? {} : { input }),
    });

  const made = await run(["keys", "create", "--name", "Ann's phone", "--scope", "chat", "--user", "ann"], admin);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^pk_\S+\n$/) });
  expect(made.err).toContain("shown this once");
  const key = made.out.trim();

  const listed = await run(["keys", "list"], admin);
  expect(listed.out).toMatch(/^ID +NAME +SCOPE +USER +CREATED\n(\S+) +Ann's phone +chat +ann +\S+Z\n$/);
  expect(listed.out).not.toContain(key);
  const id = /^(\S+) +Ann's/m.exec(listed.out)?.[1] ?? "";

  const spoken = await run(["chat", "--user", "ann", "--conversation", "api:ann"], key, "what is 2+2\n");
  expect(spoken).toMatchObject({ code: 0, out: `2+2 = 4${LABEL}\n` });
  expect(await run(["keys", "list"], key)).toMatchObject({ code: 1, out: "" });

  expect(await run(["keys", "revoke", id], admin)).toMatchObject({
    code: 0,
    out: `The key ${id} is no longer accepted.\n`,
  });
  expect(await run(["keys", "revoke", id], admin)).toMatchObject({ code: 1, out: "" });
  for (const bad of ["", key]) {
    const refused = await run(["chat"], bad, "hi\n");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("Set PARLEY_API_KEY to a key of this bot");
  }
});
