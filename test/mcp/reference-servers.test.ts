import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { ResultFile } from "../../src/tools/mcp/call-result.ts";
import { testRedis } from "../setup/redis.ts";
import { ADA, BOB, callContext, everythingOverHttp, mcpLab, referenceServer } from "./lab.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const everything = { command: process.execPath, args: [referenceServer("everything"), "stdio"] };

async function overStdio() {
  return mcpLab(redis, { all: everything });
}

async function overHttp() {
  const { url } = await everythingOverHttp();
  return mcpLab(redis, { all: { url } });
}

describe.each([
  ["stdio", overStdio],
  ["streamable HTTP", overHttp],
])("the reference server with everything, over %s", (_transport, start) => {
  test("lends its tools, with their real schemas and everybody's name for them", async () => {
    const lab = await start();
    const tools = await lab.mcp.toolsFor(ADA);
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["all.echo", "all.get-sum"]));
    expect(tools.find(({ name }) => name === "all.get-sum")).toMatchObject({
      effect: "once",
      timeoutMs: 60_000,
      parameters: {
        type: "object",
        properties: { a: { type: "number", description: "First number" }, b: { type: "number" } },
        required: ["a", "b"],
      },
    });
    expect((await lab.mcp.toolsFor(BOB)).map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
  });

  test("answers calls with text, data, pictures and resources", async () => {
    const lab = await start();
    expect(await lab.call("all.get-sum", { a: 2, b: 40 })).toBe("The sum of 2 and 40 is 42.");
    expect(await lab.call("all.get-structured-content", { location: "Chicago" })).toEqual({
      temperature: 36,
      conditions: "Light rain / drizzle",
      humidity: 82,
    });
    expect(await lab.call("all.get-tiny-image")).toContain(
      "[image: image/png, 4033 bytes; its content cannot be shown here]",
    );
    expect(await lab.call("all.get-resource-links", { count: 2 })).toContain("demo://resource/dynamic/text/2");
    expect(await lab.call("all.get-resource-reference", { resourceType: "Text", resourceId: 1 })).toContain(
      "[resource: demo://resource/dynamic/text/1, text/plain]\nResource 1: This is a plaintext resource",
    );
  });

  test("refuses arguments that do not fit, and the model reads why", async () => {
    const lab = await start();
    await expect(lab.call("all.get-sum", { a: "two" })).rejects.toMatchObject({
      message: expect.stringMatching(/expected number/i),
      retry: { kind: "never" },
    });
    await expect(lab.call("all.get-sum", ["two"])).rejects.toThrow("expected an object");
  });

  test("is told that a call is no longer wanted", async () => {
    const lab = await start();
    const stop = new AbortController();
    const long = lab.call("all.trigger-long-running-operation", { duration: 30, steps: 300 }, { signal: stop.signal });
    await expect.poll(() => lab.statusOf("all")?.is).toBe("running");
    const reason = new Error("stopped by the person");
    stop.abort(reason);
    await expect(long).rejects.toBe(reason);
    expect(await lab.call("all.echo", { message: "still there" })).toBe("Echo: still there");
  });
});

test("a picture is kept where files are kept, under the call's key", async () => {
  const kept: (ResultFile & { idempotencyKey: string })[] = [];
  const storeArtifact = (file: (typeof kept)[number]) => {
    kept.push(file);
    return Promise.resolve(`artifact "${file.name}.png"`);
  };
  const lab = await mcpLab(redis, { all: everything }, { storeArtifact });
  expect(await lab.call("all.get-tiny-image")).toContain(
    '[image: image/png, 4033 bytes; kept as artifact "image-2.png"]',
  );
  expect(kept).toMatchObject([{ mimeType: "image/png", idempotencyKey: "r1:tool_1_1" }]);
  expect(
    Buffer.from(kept[0]?.bytes ?? [])
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
});

test("a program gets no variable of ours but the harmless ones, and what is configured", async () => {
  const env = { PATH: process.env["PATH"], HOME: "/home/parley", AI_API_KEY: "sk-secret", ITS_KEY: "its-own-key" };
  const server = { ...everything, env: { KEY: "${ITS_KEY}", COLOUR: "green" } };
  const seen = await (await mcpLab(redis, { all: server }, { env })).call("all.get-env");
  expect(JSON.parse(String(seen))).toEqual({
    PATH: env.PATH,
    HOME: "/home/parley",
    COLOUR: "green",
    // The value itself does not come back to the model.
    KEY: "[secret]",
    PWD: expect.any(String),
  });
});

test("the memory server remembers from one call to the next, also when it was stopped in between", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-mcp-memory-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "memory.json");
  const lab = await mcpLab(redis, {
    notes: {
      command: process.execPath,
      args: [referenceServer("memory")],
      env: { MEMORY_FILE_PATH: file },
      idle_stop_s: 0.05,
    },
  });
  const entities = [{ name: "Ada", entityType: "person", observations: ["likes tea"] }];
  await lab.call("notes.create_entities", { entities });
  await expect.poll(() => lab.statusOf("notes")?.is).toBe("idle");
  expect(await lab.call("notes.search_nodes", { query: "tea" })).toMatchObject({ entities: [{ name: "Ada" }] });
  expect(readFileSync(file, "utf8")).toContain("likes tea");
});

test("the filesystem server reads its folder and no other, and says which calls only read", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "parley-mcp-files-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "hello.txt"), "Hello from the folder");
  const lab = await mcpLab(redis, {
    files: { command: process.execPath, args: [referenceServer("filesystem"), folder] },
  });
  const read = await lab.find("files.read_text_file");
  expect(read.effect).toBe("read");
  expect((await lab.find("files.write_file")).effect).toBe("idempotent");
  expect((await lab.find("files.edit_file")).effect).toBe("once");
  expect(await read.run({ path: join(folder, "hello.txt") }, callContext())).toEqual({
    kind: "result",
    value: "Hello from the folder",
  });
  await expect(read.run({ path: "/etc/passwd" }, callContext())).rejects.toMatchObject({
    code: "failed",
    message: expect.stringContaining("Access denied"),
  });
});
