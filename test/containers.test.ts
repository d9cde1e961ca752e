import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

test("the compose file runs two replicas, reachable from this machine alone, on a Redis that keeps everything", () => {
  const { services, volumes } = parse(read("compose.yaml"));
  expect(services.redis.command.join(" ")).toBe(
    "redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction",
  );
  expect(services.redis.volumes).toEqual(["redis-data:/data"]);
  expect(services.redis.ports).toBeUndefined();
  expect(Object.keys(volumes)).toEqual(["redis-data"]);

  expect(services.parley.deploy.replicas).toBe(2);
  expect(services.parley.ports).toEqual(["127.0.0.1:8300-8309:8300"]);
  expect(services.parley.environment).toMatchObject({ REDIS_URL: "redis://redis:6379", HOST: "0.0.0.0" });
  expect(services.parley.environment.PARLEY_API_KEY).toMatch(/^\$\{PARLEY_API_KEY:\?/);
});

test("the image copies only what the ignore file lets through, and runs the launcher as an ordinary user", () => {
  const lines = read("Dockerfile").split("\n");
  expect(lines).toContain("USER node");
  expect(lines).toContain('ENTRYPOINT ["tini", "--", "node", "bin/parley.mjs"]');
  expect(lines.indexOf("USER node")).toBeGreaterThan(lines.findIndex((line) => line.startsWith("RUN mkdir")));

  const ignored = read(".dockerignore").split("\n");
  expect(ignored).toContain("*");
  const letThrough = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  expect(letThrough).toEqual(expect.arrayContaining(["bin", "config", "src", "package.json", "package-lock.json"]));
  expect(letThrough.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
});
