import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { chatLane } from "../../src/agent/lanes-of.ts";
import { stepLine } from "../../src/engine/journal.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

let looks = 0;
const look = defineTool({
  name: "look",
  description: "Looks.",
  effect: "idempotent",
  input: z.object({ at: z.string() }),
  run: ({ at }) => {
    looks += 1;
    return at === "moving" ? { looks } : { seen: at };
  },
});

const lab = await openLab({ database: await testRedis(), tools: [look], settings: "ai:\n  max_run_s: 100\n" });
afterAll(() => lab.close());

describe("a model that goes round in circles", () => {
  test("is told so the fourth time, and its run ends with a clear word after two more", async () => {
    const chat = lab.conversation();
    looks = 0;
    const again = [call({ name: "look", args: { at: "x" } }), call({ name: "look", args: ' { "at": "x" }' })];
    lab.model.when(
      "circles",
      ...Array.from({ length: 6 }, (_, index) => again[index % 2] ?? say("")),
      say("never asked"),
    );
    const { id } = await lab.send(chat, "circles");
    const said = await lab.answerTo(chat, id);
    expect(said).toMatchObject({
      kind: "error",
      text: expect.stringMatching(/going round in circles: I used look again and again/),
    });
    expect(looks).toBe(3);
    expect(lab.model.about("circles")).toHaveLength(6);
    const results = lab.model.about("circles")[5]?.messages.filter(({ role }) => role === "tool");
    expect(
      results?.map(({ content }) => content?.includes("Not done: look was called with these arguments 3 times")),
    ).toEqual([false, false, false, true, true]);
    expect(await lab.status(chat, id)).toMatchObject({ status: "failed", error: { code: "repeated_calls" } });
    lab.model.when("what now", say("Sorry."));
    expect((await lab.answerTo(chat, (await lab.send(chat, "what now")).id)).text).toBe("Sorry.");
  });

  test("may go on when it does something else", async () => {
    const chat = lab.conversation();
    const same = call({ name: "look", args: { at: "y" } });
    lab.model.when("nearly", same, same, same, same, call({ name: "look", args: { at: "z" } }), say("Found it."));
    expect((await lab.answerTo(chat, (await lab.send(chat, "nearly")).id)).text).toBe("Found it.");
  });

  test("is not meant when the results change", async () => {
    const chat = lab.conversation();
    const poll = call({ name: "look", args: { at: "moving" } });
    lab.model.when("polling", ...Array.from({ length: 8 }, () => poll), say("Done."));
    expect((await lab.answerTo(chat, (await lab.send(chat, "polling")).id)).text).toBe("Done.");
  });
});

describe("the time a run may take", () => {
  const slowStep = (ms: number) =>
    stepLine({ step: "ai_call_0", outcome: { value: null }, at: 1_000_000, ms, tries: 1 });

  /** Puts the record of `ms` of earlier work into the run that is being answered, then hands it over. */
  async function after(ms: number, word: string) {
    const chat = lab.conversation();
    const asked = hold(say("Too late."));
    lab.model.when(word, asked.reply, say("In time."));
    const { id } = await lab.send(chat, word);
    await asked.arrived;
    const state = await lab.runtime().lanes.look(chatLane(chat));
    if (state.kind !== "run") throw new Error("the run is not going");
    await lab.runtime().lanes.append(chatLane(chat), state.token, slowStep(ms));
    await lab.restart();
    return { chat, id, said: await lab.answerTo(chat, id) };
  }

  test("is over after its work, not after its wait, and the person is told", async () => {
    const { chat, id, said } = await after(100_001, "slow");
    expect(said).toMatchObject({
      kind: "error",
      text: expect.stringMatching(/^I stopped after 100 seconds of work without reaching an answer/),
    });
    expect(await lab.status(chat, id)).toMatchObject({ status: "failed", error: { code: "time_limit" } });
  });

  test("is not over just before", async () => {
    // Its first step was long ago: only work counts.
    expect((await after(90_000, "quick")).said.text).toBe("In time.");
  });
});
