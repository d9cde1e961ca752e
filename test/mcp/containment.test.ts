import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/kernel/ports.ts";
import { testRedis } from "../setup/redis.ts";
import { ADA, callContext, everythingOverHttp, isRunning, listeningLog, mcpLab, ODD_SERVER } from "./lab.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

/** A misbehaving server, and how often it was started. */
function odd(...manners: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "parley-mcp-odd-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "starts");
  const starts = () => readLines(file);
  return {
    spec: { command: process.execPath, args: [ODD_SERVER, ...manners], env: { STARTS: file } },
    starts,
    lastPid: () => Number(starts().at(-1)),
  };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}

async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
}

/** A clock that can be moved on. */
function movableClock() {
  let ahead = 0;
  return {
    clock: { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead },
    moveOn: (ms: number) => void (ahead += ms),
  };
}

describe("a server that dies in mid-call", () => {
  test.each([
    { tool: "odd.die", retry: "after", says: /it ended with exit code 9$/ },
    { tool: "odd.die-once", retry: "never", says: /it ended with exit code 9\. Whether it was done is not known/ },
  ])("fails $tool with retry $retry, and is started again for the next call", async ({ tool, retry, says }) => {
    const { spec, starts } = odd();
    const lab = await mcpLab(redis, { odd: spec });
    await expect(lab.call(tool)).rejects.toMatchObject({
      name: "OutsideError",
      code: "unavailable",
      retry: { kind: retry },
      message: expect.stringMatching(says),
    });
    // Nobody repeats the call here.
    expect(starts()).toHaveLength(1);
    expect(await lab.call("odd.echo", { value: "again" })).toContain("again");
    expect(starts()).toHaveLength(2);
  });

  test.each([
    { tool: "odd.hang", retry: "after" },
    { tool: "odd.hang-once", retry: "never" },
  ])("killed from outside during $tool, gives retry $retry", async ({ tool, retry }) => {
    const { spec, lastPid } = odd();
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: spec }, { log });
    await lab.mcp.toolsFor(ADA);
    const hanging = next(/hanging/);
    const failed = expect(lab.call(tool)).rejects.toMatchObject({
      code: "unavailable",
      retry: { kind: retry },
      message: expect.stringContaining("it was ended by SIGKILL"),
    });
    await hanging;
    process.kill(lastPid(), "SIGKILL");
    await failed;
    expect(lab.statusOf("odd")?.trouble).toBe("it was ended by SIGKILL");
  });

  test("over HTTP fails the call at once and is used again when it is back", async () => {
    const first = await everythingOverHttp();
    const lab = await mcpLab(redis, { all: { url: first.url } });
    const tool = await lab.find("all.trigger-long-running-operation");
    const asked = first.nextPost();
    const failed = expect(tool.run({ duration: 60, steps: 600 }, callContext())).rejects.toMatchObject({
      code: "unavailable",
      retry: { kind: "never" },
      message: expect.stringContaining("Whether it was done is not known"),
    });
    await asked;
    await first.kill();
    await failed;
    await everythingOverHttp(first.port);
    expect(await lab.call("all.echo", { message: "back" })).toBe("Echo: back");
  });

  test("and came back without its sessions, is asked again under a new one: it had done nothing", async () => {
    const first = await everythingOverHttp();
    const lab = await mcpLab(redis, { all: { url: first.url } });
    const tool = await lab.find("all.get-sum");
    await first.kill();
    await everythingOverHttp(first.port);
    expect(await tool.run({ a: 1, b: 1 }, callContext())).toMatchObject({ value: "The sum of 1 and 1 is 2." });
  });
});

describe("a server that hangs", () => {
  test("at its start, is given up in time, and nobody waits for it longer than the patience", async () => {
    const { spec, starts, lastPid } = odd("hang-at-start", "deaf");
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: { ...spec, connect_timeout_s: 1 } }, { log, patienceMs: 20 });
    const failed = next(/an MCP server failed.*did not start in time/);
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(lab.statusOf("odd")?.is).toBe("starting");
    await failed;
    expect(starts()).toHaveLength(1);
    await untilGone(lastPid());
  });

  test("in a call, loses the call at its deadline and stays, because it still answers", async () => {
    const { spec, lastPid } = odd();
    const lab = await mcpLab(redis, { odd: { ...spec, call_timeout_s: 0.5 } });
    await expect(lab.call("odd.hang")).rejects.toMatchObject({
      code: "timeout",
      retry: { kind: "after" },
      message: '"odd.hang" at the MCP server "odd" did not finish within 0.5 s',
    });
    await expect(lab.call("odd.hang-once")).rejects.toMatchObject({
      retry: { kind: "never" },
      message: expect.stringContaining("Whether it was done is not known"),
    });
    const pid = lastPid();
    expect(await lab.call("odd.echo")).toContain("args");
    expect(lab.statusOf("odd")?.pid).toBe(pid);
  });

  test("altogether, is ended", async () => {
    const { spec, lastPid } = odd();
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: { ...spec, call_timeout_s: 3 } }, { log });
    const ended = next(/it no longer answers/);
    await expect(lab.call("odd.block")).rejects.toMatchObject({ code: "timeout" });
    const pid = lastPid();
    await ended;
    await untilGone(pid);
    expect(await lab.call("odd.echo")).toContain("args");
  });
});

test("a server that dies at its start is tried three times and then left alone for a while", async () => {
  const { spec, starts } = odd("die-at-start");
  const { clock, moveOn } = movableClock();
  const lab = await mcpLab(redis, { odd: spec }, { clock });
  const look = async () => {
    await lab.mcp.toolsFor(ADA);
    return { starts: starts().length, is: lab.statusOf("odd")?.is };
  };
  expect(await look()).toEqual({ starts: 1, is: "idle" });
  expect(await look()).toEqual({ starts: 2, is: "paused" });
  expect(await look()).toEqual({ starts: 2, is: "paused" });
  moveOn(2_000);
  expect(await look()).toEqual({ starts: 3, is: "off" });
  moveOn(50_000);
  expect(await look()).toEqual({ starts: 3, is: "off" });
  expect(lab.mcp.problems()).toEqual([
    expect.stringMatching(
      /^The MCP server "odd" is off for \d+ s after failing again and again: it ended with exit code 3$/,
    ),
  ]);
  moveOn(10_000);
  expect(await look()).toEqual({ starts: 4, is: "off" });
  expect(lab.statusOf("odd")?.until).toBeGreaterThan(clock.now() + 100_000);
});

test("what a server writes to stderr is in the debug log, and only there", async () => {
  const { log, lines } = listeningLog();
  const lab = await mcpLab(redis, { odd: odd("die-at-start").spec }, { log });
  await lab.mcp.toolsFor(ADA);
  expect(lines.filter((line) => line.includes("I cannot go on"))).toEqual([
    'an MCP server wrote to stderr {"mcp":"odd","line":"I cannot go on"}',
  ]);
  expect(lab.mcp.problems().join()).not.toContain("I cannot go on");
});

describe("a server that says too much", () => {
  test("is ended when it floods us", async () => {
    const { spec, lastPid } = odd();
    const lab = await mcpLab(redis, { odd: spec }, { maxMessageBytes: 100_000 });
    await expect(lab.call("odd.flood")).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/too large|more than can be read/),
    });
    await untilGone(lastPid());
  });

  test("loses a result that is too large; a smaller one is passed on", async () => {
    const lab = await mcpLab(redis, { odd: odd().spec }, { maxMessageBytes: 100_000 });
    expect(await lab.call("odd.large", { value: "60000" })).toHaveLength(60_000);
    await expect(lab.call("odd.large", { value: "200000" })).rejects.toMatchObject({ code: "unavailable" });
    expect(await lab.call("odd.echo")).toContain("args");
  });

  test("before its first message is understood all the same", async () => {
    const lab = await mcpLab(redis, { odd: odd("chatty").spec });
    expect(await lab.call("odd.echo")).toContain("args");
  });

  test("lends its first hundred tools, and says that there are more", async () => {
    const lab = await mcpLab(redis, {
      odd: odd("many-tools").spec,
      few: { ...odd("many-tools").spec, only: ["tool-299"] },
    });
    const names = (await lab.mcp.toolsFor(ADA)).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("odd."))).toHaveLength(100);
    expect(names.filter((name) => name.startsWith("few."))).toEqual(["few.tool-299"]);
    expect(lab.mcp.problems()).toEqual([
      '"odd" has 214 more tools; the first 100 are offered (choose others with "only")',
    ]);
  });
});

describe("tools that change", () => {
  test("are there for the next run", async () => {
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: odd().spec }, { log });
    const read = next(/were read again/);
    await lab.call("odd.grow");
    await read;
    expect(await lab.find("odd.grown")).toBeDefined();
  });

  test("and are gone fail clearly, without asking the server", async () => {
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: odd().spec }, { log });
    const echo = await lab.find("odd.echo");
    const read = next(/were read again/);
    await lab.call("odd.shrink");
    await read;
    await expect(echo.run({}, callContext())).rejects.toMatchObject({
      code: "not-found",
      message: 'The tool "odd.echo" is gone: the MCP server "odd" no longer has it',
    });
  });
});

describe("failures the server reports", () => {
  test.each([
    { tool: "odd.fail", code: "failed", says: "the disk is full" },
    { tool: "odd.refuse", code: "bad-request", says: "it refused: value must be a colour" },
  ])("in $tool reach the model as they are and are not tried again", async ({ tool, code, says }) => {
    const lab = await mcpLab(redis, { odd: odd().spec });
    await expect(lab.call(tool)).rejects.toMatchObject({
      code,
      retry: { kind: "never" },
      message: expect.stringContaining(says),
    });
  });
});

test("the call's idempotency key goes along", async () => {
  const lab = await mcpLab(redis, { odd: odd().spec });
  const seen = await lab.call("odd.echo", { value: 1 }, { idempotencyKey: "run:tool_2_1" });
  expect(JSON.parse(String(seen))).toEqual({
    args: { value: 1 },
    meta: { "parley/idempotency-key": "run:tool_2_1" },
  });
});

test("a server that knows only the newer protocol is understood", async () => {
  const lab = await mcpLab(redis, { odd: odd("modern").spec });
  expect(await lab.call("odd.echo", { value: "new" })).toContain('"value":"new"');
});

describe("the processes", () => {
  test("are started when they are needed, stopped when they are not, and started again", async () => {
    const { spec, starts, lastPid } = odd();
    const lab = await mcpLab(redis, { odd: { ...spec, idle_stop_s: 0.05 } });
    expect(lab.statusOf("odd")?.is).toBe("idle");
    expect(starts()).toHaveLength(0);
    const echo = await lab.find("odd.echo");
    await expect.poll(() => lab.statusOf("odd")?.is).toBe("idle");
    await untilGone(lastPid());
    expect(await lab.find("odd.echo")).toBeDefined();
    expect(starts()).toHaveLength(1);
    expect(await echo.run({}, callContext())).toMatchObject({ kind: "result" });
    expect(starts()).toHaveLength(2);
    expect(lab.statusOf("odd")?.trouble).toBeUndefined();
  });

  test("end with everything they started, even when they want to go on", async () => {
    const { spec, lastPid } = odd("deaf");
    const lab = await mcpLab(redis, { odd: spec });
    const child = Number(await lab.call("odd.child"));
    expect(isRunning(child)).toBe(true);
    await lab.mcp.close();
    expect(isRunning(lastPid())).toBe(false);
    await untilGone(child);
  });

  test("end calls under way when the bot stops", async () => {
    const { spec } = odd();
    const { log, next } = listeningLog();
    const lab = await mcpLab(redis, { odd: spec }, { log });
    await lab.mcp.toolsFor(ADA);
    const hanging = next(/hanging/);
    const failed = expect(lab.call("odd.hang")).rejects.toMatchObject({ code: "unavailable" });
    await hanging;
    await lab.mcp.close();
    await failed;
  });
});
