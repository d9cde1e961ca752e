import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runHere } from "./in-process.ts";
import { temporaryFolder } from "./processes.ts";

function folder(yaml: string): string {
  const dir = join(temporaryFolder(), "conf");
  mkdirSync(dir);
  writeFileSync(join(dir, "parley.yaml"), yaml);
  return dir;
}

test("check names the place of every mistake", async () => {
  const dir = folder("server:\n  port: many\nbott: {}\n");
  const { out, err, code } = await runHere(["config", "check"], { env: { PARLEY_CONFIG: dir } });
  expect(out).toBe("");
  expect(err).toContain(`  ${dir}/parley.yaml:2:9 server.port: `);
  expect(err).toContain(`  ${dir}/parley.yaml:3:1 bott: `);
  expect(code).toBe(2);
});

test("check refuses what start would refuse", async () => {
  const { err, code } = await runHere(["config", "check"], { env: { HOST: "0.0.0.0" } });
  expect(err).toContain("Refusing to listen on 0.0.0.0 without an API key");
  expect(code).toBe(2);
});

test("check passes what can be used, with its warnings", async () => {
  const dir = folder("ai: { api_key: not-a-real-key }\n");
  const { out, err, code } = await runHere(["config", "check"], { env: { PARLEY_CONFIG: dir } });
  expect(out).toBe(`The configuration in ${dir} can be used.\n`);
  expect(err).toContain("warning: AI_API_KEY (ai.api_key) is set but AI_URL (ai.url) is not");
  expect(code).toBe(0);
});

test("show gives every value with its source, and no secret", async () => {
  const dir = folder("bot: { name: Robbie }\nai: { url: 'https://ai.example/v1', api_key: hunter2hunter2 }\n");
  const env = { PARLEY_CONFIG: dir, PORT: "9000", REDIS_URL: "redis://:hunter3@127.0.0.1:6379" };
  const { out, code } = await runHere(["config", "show"], { env });
  expect(out).toMatch(/^bot\.name +Robbie +parley\.yaml:1:14$/m);
  expect(out).toMatch(/^server\.port +9000 +PORT$/m);
  expect(out).toMatch(/^server\.host +127\.0\.0\.1 +default$/m);
  expect(out).toMatch(/^ai\.api_key +\(hidden\) +parley\.yaml:2:\d+$/m);
  expect(out).toMatch(/^redis\.url +\(hidden\) +REDIS_URL$/m);
  expect(out).toMatch(/^master_key +\(unset\) +default$/m);
  expect(out).not.toMatch(/hunter/);
  expect(code).toBe(0);
  const json = await runHere(["config", "show", "--json"], { env });
  expect(JSON.parse(json.out)).toContainEqual({ key: "server.port", value: 9000, source: "PORT" });
  expect(json.out).not.toMatch(/hunter/);
});

test("other commands do not begin with a configuration that cannot be used", async () => {
  const { err, code } = await runHere(["status"], { env: { PORT: "x" } });
  expect(err).toMatch(/^parley: the configuration cannot be used:\n {2}PORT: /);
  expect(code).toBe(2);
});
