import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { publicBindProblem } from "./public-bind.ts";

const key = { api_key: new Secret("a key") };

test.each([
  ["127.0.0.1", "may"],
  ["127.8.9.1", "may"],
  ["localhost", "may"],
  ["LOCALHOST", "may"],
  ["::1", "may"],
  ["[::1]", "may"],
  ["::ffff:127.0.0.1", "may"],
  ["0.0.0.0", "must not"],
  ["0", "must not"],
  ["::", "must not"],
  ["192.168.1.7", "must not"],
  ["::ffff:10.0.0.1", "must not"],
  ["bot.example.com", "must not"],
  ["localhost.example.com", "must not"],
  ["127.0.0.1.example.com", "must not"],
])("a server on %s %s listen without an API key", (host, verdict) => {
  const problem = publicBindProblem({ server: { host } });
  if (verdict === "may") expect(problem).toBeUndefined();
  else
    expect(problem).toBe(
      `Refusing to listen on ${host} without an API key, because others could reach it: set PARLEY_API_KEY (server.api_key), or HOST (server.host) to 127.0.0.1.`,
    );
  expect(publicBindProblem({ server: { host, ...key } })).toBeUndefined();
});
