import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, onTestFinished, test, expect } from "vitest";
import { openLab } from "../agent/lab.ts";
import { call, say } from "../agent/model-server.ts";
import { testRedis } from "../setup/redis.ts";
import { everythingOverHttp, mcpLab, referenceServer } from "./lab.ts";

const database = await testRedis();
const redis = new Redis(database);
afterAll(() => redis.disconnect());

/** A whole agent whose person may use the tools of these servers without being asked. */
async function chatWith(servers: object) {
  const { mcp } = await mcpLab(redis, servers);
  const lab = await openLab({
    database,
    settings: "approvals: { untrusted_once: allow }\n",
    more: { toolSources: [{ label: "MCP", source: mcp }] },
  });
  onTestFinished(() => lab.close());
  return lab;
}

type Lab = Awaited<ReturnType<typeof chatWith>>;

/** The person says `word`, the model makes these calls one after the other and answers; what it read as results. */
async function use(lab: Lab, word: string, calls: readonly { readonly name: string; readonly args: object }[]) {
  lab.model.when(word, ...calls.map((each) => call(each)), say("Done."));
  const chat = lab.conversation();
  const { id } = await lab.send(chat, word);
  const { text } = await lab.answerTo(chat, id);
  const { messages } = lab.model.request(word, calls.length + 1);
  return { text, read: messages.filter(({ role }) => role === "tool").map(({ content }) => content) };
}

test("the reference servers are used from a chat, over stdio and streamable HTTP", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "parley-files-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "plan.txt"), "water the plants");
  const { url } = await everythingOverHttp();
  const lab = await chatWith({
    here: { command: process.execPath, args: [referenceServer("everything"), "stdio"] },
    there: { url },
    graph: {
      command: process.execPath,
      args: [referenceServer("memory")],
      env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") },
    },
    files: { command: process.execPath, args: [referenceServer("filesystem"), folder] },
  });
  const entities = [{ name: "Rex", entityType: "dog", observations: ["barks"] }];
  const { text, read } = await use(lab, "use them all", [
    { name: "here.get-sum", args: { a: 2, b: 40 } },
    { name: "there.echo", args: { message: "over HTTP" } },
    { name: "graph.create_entities", args: { entities } },
    { name: "graph.search_nodes", args: { query: "Rex" } },
    { name: "files.read_text_file", args: { path: join(folder, "plan.txt") } },
  ]);
  expect(text).toBe("Done.");
  expect(read).toHaveLength(5);
  for (const [index, part] of ["42", "Echo: over HTTP", "Rex", "barks", "water the plants"].entries())
    expect(read[index]).toContain(part);
});

test("a reference server that is killed in mid-call costs the call, and nobody their answer", async () => {
  const server = await everythingOverHttp();
  const lab = await chatWith({ there: { url: server.url } });
  expect((await use(lab, "begin", [{ name: "there.echo", args: { message: "hello" } }])).read[0]).toContain("hello");
  const asked = server.nextPost();
  const used = use(lab, "take long", [
    { name: "there.trigger-long-running-operation", args: { duration: 60, steps: 600 } },
  ]);
  await asked;
  await server.kill();
  const { text, read } = await used;
  expect(text).toBe("Done.");
  expect(read[0]).toContain("Whether it was done is not known");
});
