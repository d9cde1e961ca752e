import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { silentLog, type Log } from "../kernel/ports.ts";
import { createPromptFunction, type PromptContext } from "./prompt-function.ts";

const context = (user: string): PromptContext => ({
  user: { id: user },
  conversation: { id: "web:1", shared: false },
  platform: "web",
  now: "2026-11-21T10:00:00.000Z",
});

/** A function in a file of its own, which the test may write anew; times are moved by hand. */
async function open(source: string, limits: { callMs?: number; loadMs?: number } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "parley-prompt-"));
  const file = join(dir, "system.ts");
  let written = 1_000_000;
  const write = async (text: string) => {
    await writeFile(file, text);
    await utimes(file, written, written);
    written += 1;
  };
  await write(source);
  const lines: string[] = [];
  const error = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, error };
  let now = 0;
  const made = createPromptFunction({ file: () => file, log, clock: { monotonic: () => now }, ...limits });
  onTestFinished(async () => {
    await made.close();
    await rm(dir, { recursive: true, force: true });
  });
  return { ask: (user = "ada") => made.prompt(context(user)), write, lines, wait: (ms: number) => void (now += ms) };
}

describe("a prompt function", () => {
  test("makes the prompt of each person, with types and a promise", async () => {
    const { ask, lines } = await open(
      `type In = { user: { id: string }; platform: string; now: string; conversation: { shared: boolean } };
       export default async ({ user, platform, now, conversation }: In): Promise<string> =>
         \` \${user.id} on \${platform} at \${now}, \${conversation.shared}\\n\`;`,
    );
    expect(await Promise.all(["ada", "bob"].map((user) => ask(user)))).toEqual([
      "ada on web at 2026-11-21T10:00:00.000Z, false",
      "bob on web at 2026-11-21T10:00:00.000Z, false",
    ]);
    expect(lines).toEqual([]);
  });

  test("is read anew when its file changed, and its last good version stays while it cannot be loaded", async () => {
    const { ask, write, lines } = await open('export default () => "one";');
    expect(await ask()).toBe("one");
    await write('export default () => "two!";');
    expect(await ask()).toBe("two!");
    await write("export default () => {");
    expect(await Promise.all([ask(), ask()])).toEqual(["two!", "two!"]);
    expect(lines).toEqual([expect.stringContaining("its last good version stays in use")]);
    await write('export default () => "three";');
    expect(await ask()).toBe("three");
  });

  test.each([
    { given: "throws", source: 'export default () => { throw new Error("no"); };', says: '"error":"no"' },
    { given: "rejects", source: "export default async () => { throw 3; };", says: "unknown failure" },
    { given: "gives no text", source: "export default () => 3;", says: "it gave number instead of a text" },
    { given: "gives an empty text", source: 'export default () => " ";', says: "it gave an empty text" },
    { given: "is none", source: "export default 3;", says: "its default export is not a function" },
    { given: "cannot be read", source: "this is no code", says: "the prompt from the file is used" },
    { given: "throws when loaded", source: 'throw new Error("early"); export default () => "x";', says: "early" },
    {
      given: "ends its process",
      source: "export default () => process.exit(3);",
      says: "it ended its thread with code 3",
    },
  ])("that $given costs nobody an answer, and is told", async ({ source, says }) => {
    const { ask, lines } = await open(source);
    expect(await ask()).toBeUndefined();
    expect(lines.join("\n")).toContain(says);
  });

  test.each([
    { given: "for ever", source: "export default () => { for (;;); };" },
    { given: "for a promise that never settles", source: "export default () => new Promise(() => {});" },
  ])("that hangs $given is ended, and left alone for a while", async ({ source }) => {
    const { ask, write, lines, wait } = await open(source, { callMs: 300 });
    expect(await ask()).toBeUndefined();
    expect(lines.join()).toContain("it was not done within 0.3 s");
    await write('export default () => "well again";');
    expect(await ask()).toBeUndefined();
    expect(lines).toHaveLength(1);
    wait(30_000);
    expect(await ask()).toBe("well again");
  });

  test("that hangs when it is loaded is given up", async () => {
    const { ask, lines } = await open("for (;;);", { loadMs: 500 });
    expect(await ask()).toBeUndefined();
    expect(lines.join()).toContain("it was not loaded within 0.5 s");
  });

  test("whose file is not there leaves the prompt to the file that is", async () => {
    const made = createPromptFunction({ file: () => "/nowhere/x.ts", log: silentLog, clock: { monotonic: () => 0 } });
    expect(await made.prompt(context("ada"))).toBeUndefined();
    const none = createPromptFunction({ file: () => undefined, log: silentLog, clock: { monotonic: () => 0 } });
    expect(await none.prompt(context("ada"))).toBeUndefined();
    await Promise.all([made.close(), none.close()]);
  });
});

test("the example in the configuration folder works as it is", async () => {
  const file = join(import.meta.dirname, "../../config/prompts/_system.ts");
  const made = createPromptFunction({ file: () => file, log: silentLog, clock: { monotonic: () => 0 } });
  expect(await made.prompt(context("ada"))).toBe(
    "You are an assistant in a chat. Begin with the answer, and be brief.\nYou talk to ada.",
  );
  await made.close();
});
