import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { HookDefinition } from "../../src/hooks/contract.ts";
import { defineHooks, refuse, type Hooks } from "../../src/hooks/define.ts";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, refuse as refuseCall, say } from "./model-server.ts";

let loaded: readonly { readonly file: string; readonly hooks: Hooks }[] = [];
const use = (definition: HookDefinition) => void (loaded = [{ file: "hooks/test.ts", hooks: defineHooks(definition) }]);
beforeEach(() => use({}));

const calls: { readonly tool: string; readonly word: string }[] = [];
/** While set, a call hangs until its worker lets go of it; it is told when it began. */
let hangs: (() => void) | undefined;
const counted = (name: string, effect: "idempotent" | "once", approval: "ask" | "never" = "never") =>
  defineTool({
    name,
    approval,
    description: "Counts its calls.",
    effect,
    input: z.object({ word: z.string() }),
    run({ word }) {
      calls.push({ tool: name, word });
      hangs?.();
      return hangs === undefined ? `did ${word}` : new Promise(() => {});
    },
  });
const lab = await openLab({
  database: await testRedis(),
  settings: "hooks:\n  timeout_s: 0.05\n  max_failures: 2\n",
  tools: [counted("put", "idempotent"), counted("pay", "once"), counted("buy", "once", "ask")],
  more: { hooks: () => loaded },
});
afterAll(() => lab.close());

const put = (word: string, name = "put") => call({ name, args: { word } });
const did = (word: string) => calls.filter((each) => each.word.includes(word));

async function tell(text: string) {
  const chat = lab.conversation();
  const { id } = await lab.send(chat, text);
  return { chat, id, text: (await lab.answerTo(chat, id)).text };
}

describe("around the model", () => {
  test("what it is sent and what it says can be changed; the changed reply is what stands in the history", async () => {
    use({
      beforeModel: ({ messages }) => ({ messages: [...messages, { role: "user", content: "(in rhyme) whisper" }] }),
      afterModel: ({ text }) => ({ text: text.replaceAll("rosebud", "r*****d") }),
    });
    lab.model.when("(in rhyme) whisper", say("It is rosebud."), say("Again."));
    const first = await tell("the word please");
    expect(first.text).toBe("It is r*****d.");
    await lab.answerTo(first.chat, (await lab.send(first.chat, "and now")).id);
    const { raw } = lab.model.request("(in rhyme) whisper", 2);
    expect(raw).toContain("It is r*****d.");
    expect(raw).not.toContain("rosebud");
  });

  test("a refusal is the answer, and the model is not asked", async () => {
    use({ beforeModel: ({ workspaceId }) => (workspaceId === "user-1" ? refuse("Not today.") : undefined) });
    const { text, chat, id } = await tell("never asked");
    expect(text).toBe("Not today.");
    expect(lab.model.about("never asked")).toEqual([]);
    expect(await lab.status(chat, id)).toMatchObject({ status: "answered" });
  });

  test("one that hangs or throws is passed over, switched off, and shown in /status", async () => {
    let asked = 0;
    use({
      beforeModel() {
        asked += 1;
        return new Promise(() => {});
      },
    });
    for (const word of ["hang one", "hang two", "hang three"]) {
      lab.model.when(word, say(`ok ${word}`));
      expect((await tell(word)).text).toBe(`ok ${word}`);
    }
    expect(asked).toBe(2);
    expect((await tell("/status")).text).toContain("Switched off because it failed: beforeModel of hooks/test.ts.");
    expect(lab.lines.some((line) => line.startsWith("error a hook is switched off"))).toBe(true);
  });
});

describe("around a tool", () => {
  test("arguments and results can be changed", async () => {
    use({
      beforeTool: ({ args }) => ({ args: { word: `${(args as { word: string }).word}-safe` } }),
      afterTool: ({ content, args }) => ({ content: `${content} (${JSON.stringify(args)})` }),
    });
    lab.model.when("change alpha", put("alpha"), say("Done."));
    await tell("change alpha");
    expect(did("alpha")).toEqual([{ tool: "put", word: "alpha-safe" }]);
    expect(lab.model.request("change alpha", 2).messages.at(-1)?.content).toBe(
      'did alpha-safe ({"word":"alpha-safe"})',
    );
  });

  test("what is put up for approval is the call as the hooks left it, and that one is made", async () => {
    use({ beforeTool: () => ({ args: { word: "changed lambda" } }) });
    lab.model.when("approve lambda", put("lambda", "buy"), say("Bought."));
    const chat = lab.conversation();
    const { id } = await lab.send(chat, "approve lambda");
    expect((await lab.delivery(chat, "approval")).approval?.arguments).toContain("changed lambda");
    use({ beforeTool: () => ({ args: { word: "something else than lambda" } }) });
    await lab.send(chat, "/approve");
    expect((await lab.answerTo(chat, id)).text).toBe("Bought.");
    expect(did("lambda")).toEqual([{ tool: "buy", word: "changed lambda" }]);
  });

  test("a refused call is not made, and the model reads why", async () => {
    use({ beforeTool: () => refuse("payments are closed.") });
    lab.model.when("refuse beta", put("beta", "pay"), say("It was refused."));
    await tell("refuse beta");
    expect(did("beta")).toEqual([]);
    expect(lab.model.request("refuse beta", 2).messages.at(-1)?.content).toContain("Not done: payments are closed.");
  });

  test.each(["put", "pay"])("a broken guard of %s lets nothing through", async (tool) => {
    use({
      onFailure: "refuse",
      beforeTool() {
        throw new Error("broken guard");
      },
    });
    lab.model.when(`guard ${tool}`, put(`gamma-${tool}`, tool), say("Refused."));
    await tell(`guard ${tool}`);
    expect(did(`gamma-${tool}`)).toEqual([]);
  });

  test("what was decided stands when the call is repeated by another worker, whatever the hooks say by then", async () => {
    let asked = 0;
    use({
      beforeTool() {
        asked += 1;
        return { args: { word: "delta-first" } };
      },
    });
    const began = Promise.withResolvers<void>();
    hangs = () => began.resolve();
    lab.model.when("decide delta", put("delta"), say("Done."));
    const chat = lab.conversation();
    const { id } = await lab.send(chat, "decide delta");
    await began.promise;
    hangs = undefined;
    use({
      beforeTool() {
        asked += 1;
        return refuse("changed my mind.");
      },
    });
    await lab.restart();
    expect((await lab.answerTo(chat, id)).text).toBe("Done.");
    expect(did("delta").map(({ word }) => word)).toEqual(["delta-first", "delta-first"]);
    expect(asked).toBe(1);
  });

  test("a result that stands in the journal is not called again when the hook behind it was interrupted", async () => {
    const began = Promise.withResolvers<void>();
    use({
      afterTool() {
        began.resolve();
        return new Promise(() => {});
      },
    });
    lab.model.when("after epsilon", put("epsilon", "pay"), say("Paid."));
    const chat = lab.conversation();
    const { id } = await lab.send(chat, "after epsilon");
    await began.promise;
    use({ afterTool: ({ content }) => ({ content: `${content}, checked` }) });
    await lab.restart();
    expect((await lab.answerTo(chat, id)).text).toBe("Paid.");
    expect(did("epsilon")).toHaveLength(1);
    expect(lab.model.request("after epsilon", 2).messages.at(-1)?.content).toMatch(/^did epsilon/);
  });
});

describe("hooks that are told", () => {
  test("hear of schedules that are made, changed and deleted, and of files", async () => {
    const heard: unknown[] = [];
    use({ onSchedule: (news) => void heard.push(news), onArtifact: ({ name }) => void heard.push(name) });
    const chat = lab.conversation();
    const tellHere = async (text: string) => (await lab.answerTo(chat, (await lab.send(chat, text)).id)).text;
    const id = /\bs0-\w+/.exec(await tellHere("/schedule add every day at 9 tz Europe/Madrid | water the plants"))?.[0];
    await tellHere(`/schedule pause ${id}`);
    await tellHere(`/schedule delete ${id}`);
    lab.model.when("a file", call({ name: "artifact_create", args: { name: "a.txt", content: "x" } }), say("Here."));
    await tellHere("a file please");
    await lab.runtime().hooks?.settled();
    const about = { id, workspaceId: "user-1", description: "water the plants" };
    expect(heard).toEqual([
      { ...about, action: "created" },
      { ...about, action: "changed" },
      { ...about, action: "deleted" },
      "a.txt",
    ]);
  });

  test("hear of memory without its values, of growing text, of answers and of failures", async () => {
    const heard: [string, unknown][] = [];
    use({
      onMemory: (news) => void heard.push(["memory", news]),
      onRunPartial: ({ text }) => void heard.push(["partial", text]),
      onRunComplete: ({ text }) => void heard.push(["complete", text]),
      onRunFailed: ({ text }) => void heard.push(["failed", text]),
    });
    const of = (kind: string) => heard.filter(([each]) => each === kind).map(([, news]) => news);
    await lab.runtime().memory.set(parseWorkspaceId("ada"), { key: "pin", value: "4711", secret: true, at: 1 });
    lab.model.when("tell zeta", say("Zeta it is."));
    lab.model.when("fail zeta", refuseCall(400, { error: { message: "no" } }));
    await tell("tell zeta");
    const failed = await tell("fail zeta");
    // The end is told after it is stored, when the worker lets go of the run.
    await lab.runtime().worker.drain(0);
    await lab.runtime().hooks?.settled();
    expect(of("memory")).toEqual([{ workspaceId: "ada", action: "set", key: "pin" }]);
    expect(of("partial")).toEqual(["Zeta it is."]);
    expect(of("complete")).toEqual(["Zeta it is."]);
    expect(of("failed")).toEqual([failed.text]);
    await lab.restart();
  });
});
