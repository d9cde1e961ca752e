import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./environment.ts";
import { loadConfig, type LoadedConfig } from "./load.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-config-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function load(
  yaml: string | undefined,
  env: Environment = {},
  files: Record<string, string> = {},
): Promise<LoadedConfig> {
  const all: Record<string, string> = {
    "prompts/system.md": "Be kind.",
    ...files,
    ...(yaml === undefined ? {} : { "parley.yaml": yaml }),
  };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return loadConfig({ env, dir });
}

async function issuesOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, not ${inspect(error)}`);
  return error.issues;
}

describe("what is in force", () => {
  test("without a file and without variables, every default", async () => {
    const { config, warnings } = await load(undefined);
    expect(JSON.parse(JSON.stringify(config))).toEqual({
      bot: { name: "Parley", prompt: "prompts/system.md", prompt_text: "Be kind." },
      ai: {
        model: "gpt-4.1-mini",
        timeout_s: 120,
        max_steps: 30,
        history_messages: 50,
        history_tokens: 24000,
        max_run_s: 1800,
        vision: false,
        tool_result_chars: 32_000,
      },
      context: { summary: "on", summary_share: 0.8, summary_tokens: 500 },
      budgets: {
        currency: "USD",
        zone: "UTC",
        output_tokens: 4000,
        extend: "person",
        limits: [{ of: "person", per: "day", tokens: 100_000_000 }],
      },
      server: { host: "127.0.0.1", port: 8300 },
      access: "pairing",
      allowed: [],
      delivery: { late_s: 600, expire_s: 86_400 },
      redis: { partitions: 1 },
      data_dir: ".data",
      roles: ["gateway", "worker", "scheduler", "api"],
      platform_hints: {
        web: expect.stringContaining("web page"),
        terminal: expect.stringContaining("terminal"),
        slack: expect.stringContaining("Slack"),
        discord: expect.stringContaining("Discord"),
        telegram: expect.stringContaining("Telegram"),
        api: "",
      },
      queue: { mode: "queue", max_waiting: 1000 },
      admins: [],
      approvals: { expire_s: 3600, untrusted_once: "ask", rules: [] },
      worker: { chat_concurrency: 64, delivery_concurrency: 128, drain_s: 10 },
      hooks: { timeout_s: 5, max_failures: 5 },
      artifacts: { max_bytes: 5_000_000, quota_bytes: 50_000_000, quota_files: 200, keep_days: 90, link_hours: 24 },
      attachments: {
        max_files: 10,
        max_bytes: 5_000_000,
        max_request_bytes: 20_000_000,
        quota_bytes: 100_000_000,
        text_chars: 40_000,
        transcription: { model: "whisper-1" },
      },
      schedules: { max_per_person: 100, min_interval_s: 1 },
      log_level: "info",
      platforms: { slack: {}, discord: { threads: "busy" }, telegram: {} },
    });
    expect(warnings).toEqual([]);
  });

  test.each([
    "",
    "# nothing\n",
    "---\n",
    "ai:\n  #model: x\nserver:\n",
    "ai: {}\nserver: ~\n",
    "\uFEFFlog_level: info\n",
  ])("the file %j changes nothing", async (yaml) => {
    const { config } = await load(yaml);
    expect(config.ai.model).toBe("gpt-4.1-mini");
    expect(config.server.port).toBe(8300);
    expect(config.log_level).toBe("info");
  });

  test("the environment wins over the file, and the file over the default", async () => {
    const { config, sources } = await load("server:\n  port: 9000\nai:\n  model: from-file\n", { PORT: "9100" });
    expect(config.server.port).toBe(9100);
    expect(config.ai.model).toBe("from-file");
    expect(sources).toMatchObject({ "server.port": "PORT", "ai.model": "parley.yaml:4:10", "server.host": "default" });
  });

  test("an empty variable counts as unset", async () => {
    const { config, sources } = await load("server:\n  port: 9000\n", { PORT: "", HOST: "  ", AI_API_KEY: "" });
    expect(config.server).toEqual({ host: "127.0.0.1", port: 9000 });
    expect(config.ai.api_key).toBeUndefined();
    expect(sources["server.host"]).toBe("default");
  });

  test.each<[string, string, (config: LoadedConfig["config"]) => unknown, unknown]>([
    ["REDIS_URL", "redis://:pw@localhost:6379/2", (c) => c.redis.url?.reveal(), "redis://:pw@localhost:6379/2"],
    ["REDIS_URL", "/run/redis.sock", (c) => c.redis.url?.reveal(), "/run/redis.sock"],
    [
      "REDIS_CLUSTER_NODES",
      "a:1,[::1]:2",
      (c) => c.redis.cluster_nodes,
      [
        { host: "a", port: 1 },
        { host: "::1", port: 2 },
      ],
    ],
    ["AI_URL", "http://localhost:1234/v1", (c) => c.ai.url, "http://localhost:1234/v1"],
    ["AI_API_KEY", "sk-1", (c) => c.ai.api_key?.reveal(), "sk-1"],
    ["AI_MODEL", "42", (c) => c.ai.model, "42"],
    ["HOST", "::1", (c) => c.server.host, "::1"],
    ["PORT", " 0\r", (c) => c.server.port, 0],
    ["PARLEY_API_KEY", "12345", (c) => c.server.api_key?.reveal(), "12345"],
    ["PARLEY_DATA", "/var/lib/parley", (c) => c.data_dir, "/var/lib/parley"],
    ["PARLEY_ROLES", "api, worker,", (c) => c.roles, ["api", "worker"]],
    ["PARLEY_ACCESS", "open", (c) => c.access, "open"],
    ["PARLEY_MASTER_KEY", "sixteen-letters!", (c) => c.master_key?.reveal(), "sixteen-letters!"],
    ["LOG_LEVEL", "debug", (c) => c.log_level, "debug"],
    ["SLACK_SIGNING_SECRET", "s", (c) => c.platforms.slack.signing_secret?.reveal(), "s"],
    ["SLACK_API_URL", "http://127.0.0.1:1/api/", (c) => c.platforms.slack.api_url, "http://127.0.0.1:1/api/"],
    ["DISCORD_TOKEN", "d", (c) => c.platforms.discord.token?.reveal(), "d"],
    ["TELEGRAM_BOT_TOKEN", "1:t", (c) => c.platforms.telegram.bot_token?.reveal(), "1:t"],
  ])("%s=%j is understood", async (name, value, read, expected) => {
    const { config } = await load(undefined, { [name]: value });
    expect(read(config)).toEqual(expected);
  });

  test("a variable that says where Redis is replaces another answer in the file", async () => {
    const yaml = "redis:\n  sentinels: [a:1]\n  sentinel_name: m\n";
    const { config, sources } = await load(yaml, { REDIS_URL: "redis://b" });
    expect(config.redis.url?.reveal()).toBe("redis://b");
    expect(config.redis.sentinels).toBeUndefined();
    expect(sources).toMatchObject({ "redis.url": "REDIS_URL", "redis.sentinels": "default" });
  });

  test("references are filled in and become what the key expects; quotes keep them text", async () => {
    const env = { MY_PORT: "9001", MY_KEY: "007", MY_ROLES: "api,worker" };
    const { config } = await load(
      'server:\n  port: ${MY_PORT}\n  host: "${MY_HOST:-127.0.0.2}"\nai:\n  api_key: ${MY_KEY}\n  url: http://${AI:-x}/v1\nroles: ${MY_ROLES}\n',
      env,
    );
    expect(config.server).toEqual({ host: "127.0.0.2", port: 9001 });
    expect(config.ai.api_key?.reveal()).toBe("007");
    expect(config.ai.url).toBe("http://x/v1");
    expect(config.roles).toEqual(["api", "worker"]);
    expect(await issuesOf(load('server:\n  port: "${MY_PORT}"\n', env))).toEqual([
      "parley.yaml:2:9 server.port: expected number, received string",
    ]);
  });

  test("nothing in it can be changed", async () => {
    const { config } = await load(undefined);
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
    expect(() => Reflect.apply(Array.prototype.push, config.roles, ["x"])).toThrow(TypeError);
  });

  test("secrets do not show when it is printed", async () => {
    const { config } = await load("ai:\n  api_key: topsecret\nredis:\n  url: redis://:topsecret@h\n", {
      PARLEY_API_KEY: "topsecret",
    });
    expect(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config)).not.toContain("topsecret");
    expect(JSON.stringify(config)).toContain('"api_key":"[secret]"');
  });
});

describe("what is refused, and where", () => {
  test.each<[string, Environment, readonly string[]]>([
    ["server:\n  port: abc\n", {}, ["parley.yaml:2:9 server.port: expected number, received string"]],
    ["server:\n  port: 8300.5\n", {}, ["parley.yaml:2:9 server.port: expected int, received number"]],
    ["server:\n  port: 70000\n", {}, ["parley.yaml:2:9 server.port: expected number to be <=65535"]],
    ["server: 5\n", {}, ["parley.yaml:1:9 server: expected object, received number"]],
    ["server: 5\n", { PORT: "1" }, ["parley.yaml:1:9 server: expected object, received number"]],
    [
      "server:\n  prot: 1\n  host: ''\n",
      {},
      [
        "parley.yaml:3:9 server.host: must not be empty",
        "parley.yaml:2:3 server.prot: unknown key; known here: host, port, public_url, api_key",
      ],
    ],
    [
      "sever: 1\n",
      {},
      [
        "parley.yaml:1:1 sever: unknown key; known here: bot, ai, context, models, prices, budgets, server, access, allowed, delivery, redis, data_dir, roles, platform_hints, queue, admins, approvals, worker, hooks, artifacts, attachments, schedules, log_level, master_key, platforms",
      ],
    ],
    [
      "__proto__:\n  a: 1\n",
      {},
      [
        "parley.yaml:1:1 __proto__: unknown key; known here: bot, ai, context, models, prices, budgets, server, access, allowed, delivery, redis, data_dir, roles, platform_hints, queue, admins, approvals, worker, hooks, artifacts, attachments, schedules, log_level, master_key, platforms",
      ],
    ],
    [
      "roles:\n  - api\n  - cook\n",
      {},
      ['parley.yaml:3:5 roles.1: expected one of "gateway"|"worker"|"scheduler"|"api"'],
    ],
    ["master_key: fifteen-letters\n", {}, ["parley.yaml:1:13 master_key: must have at least 16 characters"]],
    ["roles: []\n", {}, ["parley.yaml:1:8 roles: expected at least one role"]],
    ["- a\n- b\n", {}, ["parley.yaml:1:1 expected keys and values, such as `log_level: info`"]],
    ["just text\n", {}, ["parley.yaml:1:1 expected keys and values, such as `log_level: info`"]],
    ["ai:\n  url: ftp://x\n", {}, ["parley.yaml:2:8 ai.url: expected a URL that starts with http:// or https://"]],
    ["ai:\n  url: http://me:pw@x/\n", {}, ["parley.yaml:2:8 ai.url: must not contain a user name or password"]],
    [
      "ai:\n  api_key: ${NOPE}\n",
      {},
      ["parley.yaml:2:12 ai.api_key: the environment variable NOPE is not set and ${NOPE} has no default"],
    ],
    ["ai:\n  model: &m x\nbot:\n  name: *m\n", {}, ["parley.yaml:4:9 bot.name: an alias cannot be used here"]],
    ["redis:\n  sentinels: [a:1]\n", {}, ["parley.yaml:2:14 redis.sentinels: also needs redis.sentinel_name"]],
    [
      "redis:\n  url: redis://x\n  cluster_nodes: [a:1]\n",
      {},
      ["parley.yaml:3:18 redis.cluster_nodes: set only one of url, cluster_nodes"],
    ],
    [
      "redis:\n  cluster_nodes: [a:99999]\n",
      {},
      ["parley.yaml:2:19 redis.cluster_nodes.0: expected a port between 1 and 65535"],
    ],
    ["", { PORT: "eighty" }, ["PORT: expected number, received string"]],
    ["", { PORT: "-1" }, ["PORT: expected number to be >=0"]],
    ["", { PARLEY_ROLES: "api,cook" }, ['PARLEY_ROLES: expected one of "gateway"|"worker"|"scheduler"|"api"']],
    ["", { PARLEY_ACCESS: "everyone" }, ['PARLEY_ACCESS: expected one of "pairing"|"allowlist"|"open"']],
    [
      "",
      { REDIS_URL: "http://x" },
      ["REDIS_URL: expected redis://…, rediss://… or the absolute path of a Unix socket"],
    ],
    ["", { REDIS_SENTINELS: "a", REDIS_SENTINEL_NAME: "m" }, ["REDIS_SENTINELS: expected host:port"]],
    ["", { REDIS_URL: "redis://host:port" }, ["REDIS_URL: is not a valid URL"]],
    ["", { REDIS_SENTINELS: "a:1" }, ["REDIS_SENTINELS: also needs redis.sentinel_name"]],
    [
      "",
      { REDIS_URL: "redis://a", REDIS_CLUSTER_NODES: "b:1" },
      ["REDIS_CLUSTER_NODES: set only one of url, cluster_nodes"],
    ],
    ["", { DISCORD_API_URL: "here" }, ["DISCORD_API_URL: expected a URL that starts with http:// or https://"]],
    [
      "server:\n  port: x\n",
      { LOG_LEVEL: "loud" },
      [
        "parley.yaml:2:9 server.port: expected number, received string",
        'LOG_LEVEL: expected one of "debug"|"info"|"warn"|"error"|"silent"',
      ],
    ],
  ])("%j with %j", async (yaml, env, issues) => {
    expect(await issuesOf(load(yaml, env))).toEqual(issues);
  });

  test.each<[string, RegExp]>([
    ["server:\n  port: 1\n port: 2\n", /^parley\.yaml:3:1 /],
    ["server:\n  port: 1\n  port: 2\n", /^parley\.yaml:3:3 Map keys must be unique/],
    ["ai:\n\tmodel: x\n", /^parley\.yaml:2:1 /],
    ['ai:\n  api_key: "hunter2', /^parley\.yaml:2:\d+ /],
    ['ai:\n  api_key: "hunter2" "hunter2"\n', /^parley\.yaml:2:\d+ /],
    ["ai:\n  api_key: *hunter2\n", /^parley\.yaml:2:\d+ /],
    ["ai:\n  api_key: !hunter2 x\n", /^parley\.yaml:2:\d+ /],
    ["ai:\n  api_key: ${hunter2-}\n", /^parley\.yaml:2:12 /],
    ["ai:\n  api_key: [hunter2]\n", /^parley\.yaml:2:12 /],
    ["log_level: info\n---\nbot: 2\n", /^parley\.yaml:2:1 /],
  ])("the broken file %j is reported with its place and without its values", async (yaml, first) => {
    const issues = await issuesOf(load(yaml));
    expect(issues[0]).toMatch(first);
    expect(issues.join("\n")).not.toContain("hunter2");
  });

  test("the message lists every issue", async () => {
    await expect(load("server:\n  port: x\n  host: 3\n")).rejects.toThrow(
      "The configuration cannot be used:\n  parley.yaml:3:9 server.host: expected string, received number\n  parley.yaml:2:9 server.port: expected number, received string",
    );
  });

  test("a file that is there but cannot be read is not taken for a missing one", async () => {
    await mkdir(join(dir, "parley.yaml"));
    expect(await issuesOf(load(undefined))).toEqual(["parley.yaml: cannot be read (EISDIR)"]);
  });
});

describe("the system prompt", () => {
  test("is read from the file the settings name", async () => {
    const { config } = await load("bot:\n  prompt: other/mine.md\n", {}, { "other/mine.md": "\uFEFF\nBe brief.\n\n" });
    expect(config.bot.prompt_text).toBe("Be brief.");
  });

  test("may be missing in an empty folder; a built-in one is used and that is said", async () => {
    const { config, warnings } = await loadConfig({ env: {}, dir: join(dir, "nowhere") });
    expect(config.bot.prompt_text).toMatch(/assistant/);
    expect(warnings).toEqual([expect.stringMatching(/system\.md does not exist/)]);
  });

  test.each([
    ["../outside.md", "../outside.md is outside the configuration folder"],
    ["prompts/../../outside.md", "prompts/../../outside.md is outside the configuration folder"],
    ["/etc/hostname", "/etc/hostname is outside the configuration folder"],
    ["..", ".. is outside the configuration folder"],
    ["prompts/nowhere.md", "prompts/nowhere.md does not exist"],
    ["prompts/empty.md", "prompts/empty.md is empty"],
    ["prompts/long.md", "prompts/long.md has more than 200000 characters"],
    ["prompts", "prompts cannot be read (EISDIR)"],
  ])("%s is refused", async (file, problem) => {
    await writeFile(join(dir, "..", "outside.md"), "outside").catch(() => undefined);
    const files = { "prompts/empty.md": " \n", "prompts/long.md": "x".repeat(200_001) };
    const issues = await issuesOf(load(`bot:\n  prompt: ${JSON.stringify(file)}\n`, {}, files));
    expect(issues).toEqual([`parley.yaml:2:11 bot.prompt: ${problem}`]);
  });

  test("may have a name that begins with two dots", async () => {
    const { config } = await load("bot:\n  prompt: ..mine.md\n", {}, { "..mine.md": "Dots." });
    expect(config.bot.prompt_text).toBe("Dots.");
  });
});

describe("the fingerprint", () => {
  test("is equal for equal files and differs when the settings or the prompt differ", async () => {
    const one = await load("log_level: info\n");
    expect((await load("log_level: info\n")).fingerprint).toBe(one.fingerprint);
    expect((await load("log_level: warn\n")).fingerprint).not.toBe(one.fingerprint);
    expect((await load("log_level: info\n", {}, { "prompts/system.md": "Other." })).fingerprint).not.toBe(
      one.fingerprint,
    );
  });
});

describe("warnings", () => {
  test.each<[Environment, RegExp]>([
    [{ AI_API_KEY: "k" }, /offline demo model/],
    [{ HOST: "0.0.0.0", PARLEY_API_KEY: "short" }, /short/],
    [{ SLACK_BOT_TOKEN: "xoxb-1" }, /SLACK_APP_TOKEN/],
    [{ TELEGRAM_WEBHOOK_URL: "https://x/t" }, /TELEGRAM_WEBHOOK_SECRET/],
  ])("%j is allowed, with a warning", async (env, warning) => {
    expect((await load(undefined, env)).warnings).toEqual([expect.stringMatching(warning)]);
  });

  test.each<[Environment]>([
    [{ AI_API_KEY: "k", AI_URL: "http://x" }],
    [{ HOST: "0.0.0.0", PARLEY_API_KEY: "0123456789abcdef" }],
    [{ SLACK_BOT_TOKEN: "xoxb-1", SLACK_APP_TOKEN: "xapp-1" }],
    [{ TELEGRAM_WEBHOOK_URL: "https://x/t", TELEGRAM_WEBHOOK_SECRET: "s" }],
  ])("%j needs none", async (env) => {
    expect((await load(undefined, env)).warnings).toEqual([]);
  });
});
