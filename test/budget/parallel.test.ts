import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { testRedis } from "../setup/redis.ts";

const SPENDER = new URL("./spender.ts", import.meta.url).pathname;
const RUNS = 10;
/** In units of the currency; what is spent is counted in millionths of it. */
const LIMIT = 1.234567;

const options = await testRedis();

test("ten runs of one person in ten processes never exceed a budget by a millionth", { timeout: 60_000 }, async () => {
  const redis = new Redis(options);
  onTestFinished(() => redis.disconnect());
  const runs = Array.from({ length: RUNS }, (_, at) => startRun(`run${at}`, at + 1));
  for (const run of runs) expect(await run.line()).toBe("ready");
  for (const run of runs) run.go();

  let over = 0;
  let looks = 0;
  const ended = Promise.all(runs.map((run) => run.line()));
  let going = true;
  void ended.finally(() => (going = false));
  while (going) {
    const [spent, held] = (await redis.hmget(DAY, "money", "held:money")).map(Number);
    looks += 1;
    over = Math.max(over, (spent ?? 0) + (held ?? 0));
  }
  const reports = (await ended).map((line) => JSON.parse(line) as { readonly spent: number; readonly calls: number });
  const total = reports.reduce((sum, { spent }) => sum + spent, 0);

  const limit = Math.round(LIMIT * 1_000_000);
  expect(looks).toBeGreaterThan(10);
  expect(over).toBeLessThanOrEqual(limit);
  expect(total).toBeLessThanOrEqual(limit);
  // It was the limit that ended them, and all of them had a part in it.
  expect(total).toBeGreaterThan(limit - 5000);
  expect(reports.every(({ calls }) => calls > 10)).toBe(true);
  for (const key of [DAY, MONTH])
    expect(await redis.hmget(key, "money", "held:money", "steps")).toEqual([
      String(total),
      "0",
      String(reports.reduce((sum, { calls }) => sum + calls, 0)),
    ]);
});

const DAY = "{ws:ada}:budget:person:day:2026-11-21";
const MONTH = "{budget}:installation:month:2026-11";

function startRun(name: string, seed: number) {
  const args = [SPENDER, options.path, String(options.db), name, String(seed), String(LIMIT)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    go: () => child.stdin.write("go\n"),
    async line(): Promise<string> {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${name} ended without a word`);
      return value;
    },
  };
}
