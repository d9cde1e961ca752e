import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { interpolate } from "../../config/interpolate.ts";
import { Secret } from "../../kernel/secret.ts";
import { parseMcpFile } from "./config-file.ts";
import { mcpJsonSchema } from "./config-json-schema.ts";
import { configSecretsOf } from "./config-secrets.ts";
import type { McpConfig } from "./server-spec.ts";

const CONFIG = join(import.meta.dirname, "../../../config");

function parse(text: string, env: Record<string, string> = {}) {
  return parseMcpFile(text, (each) => interpolate(each, env));
}

function good(text: string, env: Record<string, string> = {}): McpConfig {
  const parsed = parse(text, env);
  if ("problems" in parsed) throw new Error(parsed.problems.join("\n"));
  return parsed.config;
}

function problems(text: string): readonly string[] {
  const parsed = parse(text);
  return "problems" in parsed ? parsed.problems : [];
}

describe("a file", () => {
  test.each(["", "# nothing\n", "servers:\n", "servers:\n  #a: {}\n", "{}"])("like %j has no servers", (text) => {
    expect(good(text)).toEqual({ servers: [], peopleMayAdd: true });
  });

  test("gives every setting its default", () => {
    expect(good("servers:\n  a: { command: run }\n  b: { url: 'https://b.example/mcp' }\n").servers).toMatchObject([
      {
        name: "a",
        kind: "stdio",
        command: "run",
        args: [],
        env: {},
        connectMs: 20_000,
        callMs: 60_000,
        idleMs: 300_000,
      },
      { name: "b", kind: "http", url: "https://b.example/mcp", auth: { type: "none" }, headers: {}, approval: "never" },
    ]);
  });

  test("can leave a server out, let it run for ever, and keep people from adding their own", () => {
    expect(
      good(
        "people_may_add: false\nservers:\n  a: { command: run, enabled: false }\n  b: { command: run, idle_stop_s: 0 }",
      ),
    ).toMatchObject({ peopleMayAdd: false, servers: [{ name: "b", idleMs: undefined }] });
  });

  test("hides what the environment fills in, and what is a secret anyway", () => {
    const config = good(
      `servers:
  a: { command: run, env: { KEY: "\${KEY}", MODE: production } }
  b:
    url: "https://\${HOST}/mcp"
    headers: { X-Key: "Key \${KEY}", X-Team: blue }
    auth: { type: bearer, token: written-here }`,
      { KEY: "k-e-y", HOST: "b.example" },
    );
    expect(config.servers).toMatchObject([
      { env: { KEY: expect.any(Secret), MODE: "production" } },
      { url: "https://b.example/mcp", headers: { "X-Key": expect.any(Secret), "X-Team": "blue" } },
    ]);
    expect(configSecretsOf(config)).toEqual(["k-e-y", "Key k-e-y", "written-here"]);
  });

  test("has a fingerprint for each server that changes with its settings and the environment only", () => {
    const prints = (text: string, env = {}) => good(text, env).servers.map(({ fingerprint }) => fingerprint);
    const [a, b] = prints("servers:\n  a: { command: run }\n  b: { command: run, args: ['${X:-1}'] }");
    expect(prints("# moved\n\nservers:\n  b: { command: run, args: ['1'] }\n  a: { command: run }")).toEqual([b, a]);
    expect(
      prints("servers:\n  a: { command: run2 }\n  b: { command: run, args: ['${X:-1}'] }", { X: "2" }),
    ).not.toEqual([a, b]);
  });
});

describe("a mistake is named with its place, and no value is shown:", () => {
  test.each([
    {
      text: "servers:\n  a:\n    comand: hunter2",
      says: ["mcp.yaml:3:13 servers.a.comand: unknown key", "needs either"],
    },
    { text: "servers:\n  a: {}", says: ["mcp.yaml:2:6 servers.a: needs either a command or a url"] },
    {
      text: "servers:\n  a: { command: run, url: 'https://a.example' }",
      says: ["mcp.yaml:2:6 servers.a: needs either a command or a url"],
    },
    {
      text: "servers:\n  a:\n    command: run\n    headers: { X-A: hunter2 }",
      says: ["mcp.yaml:4:14 servers.a.headers: only for a server with a url"],
    },
    {
      text: "servers:\n  a:\n    url: https://a.example\n    args: [hunter2]",
      says: ["mcp.yaml:4:11 servers.a.args: only for a server with a command"],
    },
    {
      text: "servers:\n  a:\n    url: hunter2",
      says: ["mcp.yaml:3:10 servers.a.url: expected an http or https address"],
    },
    { text: "servers:\n  a:\n    url: https://me:hunter2@a.example", says: ["must hold no user name or password"] },
    { text: "servers:\n  My_Server: { command: run }", says: ["servers.My_Server: a server's name is 1 to 24"] },
    {
      text: "servers:\n  a: { command: run, call_timeout_s: '${T}' }",
      says: ["mcp.yaml:2:38 the environment variable T"],
    },
    { text: "servers:\n  a: { command: run, call_timeout_s: -1 }", says: ["servers.a.call_timeout_s: "] },
    { text: "servers:\n  a: { url: 'https://a.example', auth: { type: magic } }", says: ["servers.a.auth.type"] },
    { text: "servers:\n  a: { command: run, env: { 'A B': hunter2 } }", says: ["servers.a.env"] },
    { text: "servers: [hunter2]", says: ["mcp.yaml:1:10 servers: "] },
    { text: "servers:\n  a: {\n", says: ["mcp.yaml:"] },
    { text: "a: 1\na: 2", says: ["mcp.yaml:2:1 Map keys must be unique"] },
    { text: "servers: *hunter2", says: ["mcp.yaml:1:1 "] },
  ])("$text", ({ text, says }) => {
    const found = problems(text);
    for (const words of says) expect(found.join("\n")).toContain(words);
    expect(found.join("\n")).not.toContain("hunter2");
  });
});

describe("the shipped files", () => {
  test("change nothing as they are, and are valid when every example is in force", async () => {
    const text = await readFile(join(CONFIG, "mcp.yaml"), "utf8");
    expect(good(text)).toEqual({ servers: [], peopleMayAdd: true });
    const examples = text.replaceAll(/^( *)#(?=\s*(?:[a-z_]+:|- )| {2,}\S)/gm, "$1");
    const config = good(examples, { GITHUB_TOKEN: "t", REPORTS_SECRET: "s" });
    expect(config.servers.map(({ name }) => name)).toEqual(["files", "notes", "github", "linear"]);
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./mcp.schema.json");
  });

  test("describe the settings as they are (otherwise run `node src/tools/mcp/config-json-schema.ts`)", async () => {
    const shipped: unknown = JSON.parse(await readFile(join(CONFIG, "mcp.schema.json"), "utf8"));
    expect(shipped).toEqual(JSON.parse(JSON.stringify(mcpJsonSchema())));
  });
});
