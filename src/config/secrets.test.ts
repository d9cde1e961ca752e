import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { configSecrets } from "./secrets.ts";

async function secretsOf(env: Record<string, string>): Promise<readonly string[]> {
  return configSecrets((await loadConfig({ env, dir: "there-is-no-such-folder" })).config);
}

test("every secret of the configuration is listed, and nothing else", async () => {
  const env = { AI_API_KEY: "one", PARLEY_API_KEY: "two", DISCORD_TOKEN: "three", AI_MODEL: "not-a-secret" };
  expect([...(await secretsOf(env))].toSorted()).toEqual(["one", "three", "two"]);
});

test.each([
  ["redis://localhost:6379", []],
  ["/run/redis.sock", []],
  ["redis://user:p%40ss@localhost", ["p%40ss", "p@ss"]],
  ["redis://:100%25@localhost", ["100%25", "100%"]],
  ["redis://:100%@localhost", ["100%"]],
  ["redis://:%zz%41@localhost", ["%zz%41", "%zzA"]],
])("of the address %s only the password is a secret", async (url, secrets) => {
  expect(await secretsOf({ REDIS_URL: url })).toEqual(secrets);
});
