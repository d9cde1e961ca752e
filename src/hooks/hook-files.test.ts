import { createRequire } from "node:module";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { silentLog } from "../kernel/ports.ts";
import { createHookFiles } from "./hook-files.ts";

// The test runner's own import would look for the files in this checkout; what Node itself loads imports as Node does.
let nativeImport: (url: string) => Promise<unknown>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-import-"));
  await writeFile(join(folder, "native.mjs"), "export const load = (url) => import(url);");
  nativeImport = createRequire(import.meta.url)(join(folder, "native.mjs")).load;
  await rm(folder, { recursive: true });
});

async function start(files: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), "parley-hooks-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const hooks = await createHookFiles({
    dir,
    log: silentLog,
    importModule: nativeImport,
    debounceMs: 1,
    pollMs: 2 ** 30,
  });
  onTestFinished(async () => {
    await hooks.close();
    await rm(dir, { recursive: true, force: true });
  });
  return { hooks, write: (name: string, text: string) => writeFile(join(dir, name), text) };
}

const hooksFile = (body: string) =>
  `import { defineHooks } from "#parley/hooks";\nexport default defineHooks({ ${body} });\n`;

test("hooks come from the files of the folder, in order; a broken file is named and the others work", async () => {
  const { hooks } = await start({
    "b.ts": hooksFile("onMemory() {}"),
    "a.ts": hooksFile("afterTool: ({ content }) => ({ content: content.trim() })"),
    "broken.ts": "export default = 1;",
    "none.ts": "export const other = 1;",
    "typo.ts": hooksFile("beforeTol() {}"),
    "_off.ts": "throw new Error('loaded');",
  });
  expect(hooks.hooks().map(({ file }) => file.replace(/^[^/]+\//, ""))).toEqual(["a.ts", "b.ts"]);
  expect(hooks.problems()).toEqual([
    expect.stringMatching(/\/broken\.ts:1: /),
    expect.stringMatching(/\/none\.ts: exports no hooks; export what defineHooks returns$/),
    expect.stringMatching(/\/typo\.ts:2:\d+: There is no hook "beforeTol"/),
  ]);
});

test("a changed file is loaded again, and the last good version stays while it is broken", async () => {
  const { hooks, write } = await start({ "a.ts": hooksFile("onMemory() {}") });
  const points = () => hooks.hooks().flatMap((each) => Object.keys(each.hooks.definition));
  const [before] = hooks.hooks();
  await write("a.ts", "nonsense = = 1");
  await hooks.check();
  expect(points()).toEqual(["onMemory"]);
  expect(hooks.hooks()[0]?.hooks).toBe(before?.hooks);
  await write("a.ts", hooksFile("onRunFailed() {}"));
  await hooks.check();
  expect(points()).toEqual(["onRunFailed"]);
  expect(hooks.problems()).toEqual([]);
});
