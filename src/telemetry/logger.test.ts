import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { OutsideError } from "../kernel/errors.ts";
import { Secret } from "../kernel/secret.ts";
import { createLogger } from "./logger.ts";

type Options = Partial<Parameters<typeof createLogger>[0]>;

/** A logger and the lines it has written. */
function recording(options: Options = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: "debug",
    secrets: [],
    destination: { write: (text) => void lines.push(text) },
    ...options,
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("a line", () => {
  test("is one JSON object with time, level, fields and message", () => {
    const { log, lines, parsed } = recording({ fields: { worker: "w1" } });
    log.info({ runId: "r1", steps: 3 }, "run finished");
    expect(lines[0]).toMatch(/^[^\n]*\n$/);
    expect(parsed()).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        worker: "w1",
        runId: "r1",
        steps: 3,
        msg: "run finished",
      },
    ]);
  });

  test("keeps the fields given before, the later ones winning", () => {
    const { log, parsed } = recording({ fields: { a: 1, b: 1 } });
    log.with({ b: 2, c: 2 }).with({ c: 3 }).warn({ d: 4 }, "m");
    expect(parsed()[0]).toMatchObject({ level: "warn", a: 1, b: 2, c: 3, d: 4 });
  });

  test("is left out below the level, and the level can be changed for every derived log", () => {
    const { log, parsed } = recording({ level: "warn" });
    const derived = log.with({ x: 1 });
    derived.info({}, "no");
    log.setLevel("debug");
    derived.debug({}, "yes");
    log.setLevel("silent");
    derived.error({}, "no");
    expect(parsed().map(({ msg }) => msg)).toEqual(["yes"]);
  });

  test("has no second time, level or message", () => {
    const { log, lines, parsed } = recording();
    log.info({ level: "x", time: 1, msg: "y" }, "m");
    expect(parsed()[0]).toMatchObject({ level: "info", msg: "m", level_: "x", time_: 1, msg_: "y" });
    expect(lines[0]?.match(/"level":/g)).toHaveLength(1);
  });

  test("does not treat the message as a format", () => {
    const { log, parsed } = recording();
    log.info({}, "100%d %s %j %o");
    expect(parsed()[0]).toMatchObject({ msg: "100%d %s %j %o" });
  });

  test("spells errors out, with their code and their cause", () => {
    const { log, parsed } = recording();
    const cause = new Error("socket closed");
    log.error({ error: new OutsideError("the model did not answer", { code: "timeout", cause }) }, "step failed");
    log.error(new Error("bare"), "bare");
    expect(parsed()).toMatchObject([
      {
        error: {
          type: "OutsideError",
          message: "the model did not answer",
          code: "timeout",
          stack: expect.stringContaining("logger.test.ts"),
          cause: { message: "socket closed" },
        },
      },
      { error: { message: "bare" }, msg: "bare" },
    ]);
  });
});

describe("secrets", () => {
  test("are left out wherever they stand", () => {
    const { log, lines } = recording({ secrets: ["hunter-two"], fields: { base: "hunter-two" } });
    const error = new Error("refused hunter-two", { cause: { body: ["hunter-two"] } });
    log.error({ a: { b: [{ c: "x hunter-two y" }] }, "hunter-two": 1, error }, "said hunter-two");
    expect(lines.join("")).not.toContain("hunter");
    expect(lines[0]?.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(6);
  });

  test("that become known later are left out of fields given earlier", () => {
    const { log, lines } = recording();
    const derived = log.with({ detail: "uses hunter-two" });
    log.addSecret("hunter-two");
    derived.info({}, "m");
    expect(lines.join("")).toContain("uses [secret]");
  });

  test.each([
    "authorization",
    "Authorization",
    "api_key",
    "apiKey",
    "x-api-key",
    "token",
    "botToken",
    "bot_token",
    "password",
    "signing_secret",
    "Cookie",
    "set-cookie",
    "masterKey",
    "credentials",
  ])("under the key %s are left out at any depth, whatever they are", (key) => {
    const { log, parsed } = recording();
    log.info(
      { [key]: "v", deep: { deeper: [{ [key]: { nested: "v" } }] }, headers: { [key]: ["v"] }, n: { [key]: 12 } },
      "m",
    );
    expect(parsed()[0]).toMatchObject({
      [key]: "[secret]",
      deep: { deeper: [{ [key]: "[secret]" }] },
      headers: { [key]: "[secret]" },
      n: { [key]: "[secret]" },
    });
  });

  test("are not seen in what only sounds like one", () => {
    const { log, parsed } = recording();
    const fields = { tokens: 12, inputTokens: 3, secret: true, token: null, idempotencyKey: "r:s", keyboard: "k" };
    log.info(fields, "m");
    expect(parsed()[0]).toMatchObject(fields);
  });

  test("made of digits are left out of numbers too", () => {
    const { log, parsed } = recording({ secrets: ["12345678"] });
    log.info({ n: 12345678, big: 12345678n, m: 1234 }, "m");
    expect(parsed()[0]).toMatchObject({ n: "[secret]", big: "[secret]", m: 1234 });
  });

  test("wrapped as secrets stay wrapped", () => {
    const { log, parsed } = recording();
    log.info({ value: new Secret("hunter-two") }, `with ${String(new Secret("hunter-two"))}`);
    expect(parsed()[0]).toMatchObject({ value: "[secret]", msg: "with [secret]" });
  });

  test("on the edge of a text that is cut are not cut in two", () => {
    const { log, lines } = recording({ secrets: ["hunter-two-and-more"] });
    for (let before = 7975; before <= 8005; before++)
      log.info({ text: `${"x".repeat(before)}hunter-two-and-more` }, "m");
    expect(lines.join("")).not.toContain("hunt");
  });
});

describe("whatever is logged", () => {
  test("a line is written or nothing happens, but nothing is thrown", () => {
    const circular: Record<string, unknown> = { name: "loop" };
    circular["self"] = circular;
    const hostile = {
      get boom(): never {
        throw new Error("getter");
      },
      toJSON: undefined,
    };
    const { log, parsed } = recording();
    log.info({ circular, hostile, bytes: Buffer.from("abc"), when: new Date(0), never: new Date(Number.NaN) }, "a");
    log.info(
      {
        map: new Map([["k", 1]]),
        set: new Set([1]),
        url: new URL("http://x/"),
        fn: () => 1,
        sym: Symbol("s"),
        u: undefined,
      },
      "b",
    );
    log.info(
      {
        json: {
          toJSON: () => {
            throw new Error("no");
          },
        },
        nan: Number.NaN,
      },
      "c",
    );
    log.info(
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("proxy");
          },
        },
      ),
      "d",
    );
    expect(parsed().slice(0, 3)).toMatchObject([
      {
        circular: { name: "loop", self: "(circular)" },
        hostile: { boom: "(unreadable)" },
        bytes: "(3 bytes)",
        when: "1970-01-01T00:00:00.000Z",
        never: null,
      },
      { map: { k: 1 }, set: [1], url: "http://x/" },
      { json: "(unreadable)", nan: null },
    ]);
  });

  test("stays readable: long texts, long lists and deep objects are cut", () => {
    const { log, lines, parsed } = recording();
    let deep: object = {};
    for (let level = 0; level < 1000; level++) deep = { deep };
    log.info(
      { text: "x".repeat(5_000_000), list: Array.from({ length: 5000 }, (_, n) => n), deep },
      "m".repeat(100_000),
    );
    expect(lines[0]?.length).toBeLessThan(25_000);
    expect(parsed()[0]?.["text"]).toMatch(/^x{8000}… \(5000000 characters\)$/);
    expect(parsed()[0]?.["list"]).toContain("(5000 items)");
  });

  test("a destination that fails does not reach the caller", () => {
    const { log } = recording({
      destination: {
        write: () => {
          throw new Error("disk full");
        },
      },
    });
    expect(() => log.error({}, "m")).not.toThrow();
  });
});

describe("the form for people", () => {
  test("is one line with the time of day, the level, the message and the fields", () => {
    const { log, lines } = recording({ form: "line" });
    log.warn({ runId: "r1", text: "two words", n: 3, empty: "", list: [1] }, "slow");
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow runId=r1 text="two words" n=3 empty="" list=\[1\]\n$/,
    );
  });

  test("shows an error by its message and where it was thrown, still on one line", () => {
    const { log, lines } = recording({ form: "line" });
    log.error({ error: new Error("first\nsecond") }, "failed");
    expect(lines[0]).toMatch(/^[^\n]* ERROR failed error="first\\nsecond at [^\n]*logger\.test\.ts:\d+:\d+\)?"\n$/);
  });

  test("leaves secrets out as well", () => {
    const { log, lines } = recording({ form: "line", secrets: ["hunter-two"] });
    log.info({ a: "hunter-two", token: "t" }, "hunter-two");
    expect(lines[0]).toMatch(/ info {2}\[secret\] a=\[secret\] token=\[secret\]\n$/);
  });

  test("escapes what could steer a terminal", () => {
    const { log, lines } = recording({ form: "line" });
    log.info({ "k\u001B": "\u001B[2J\u0007\u009B" }, "\u001B[31mred\r\n\u2028");
    expect(lines[0]?.replace(/\n$/, "")).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  test("colours only the level", () => {
    const { log, lines } = recording({ form: "colour" });
    log.error({}, "m");
    expect(lines[0]).toContain(" \u001B[31mERROR\u001B[0m m\n");
  });
});

test("lines still in memory reach standard output when the process exits", async () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL("./logger.ts", import.meta.url).href)};
    const log = createLogger({ level: "info", secrets: ["hunter-two"] });
    for (let n = 0; n < 2000; n++) log.info({ n, pad: "x".repeat(200) }, "hunter-two");
    process.exit(0);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    maxBuffer: 2 ** 24,
  });
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(2000);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ n: 1999, msg: "[secret]" });
});
