import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Redis } from "ioredis";
import { REPEAT_MARK } from "../../src/platforms/contract.ts";
import { call, hold, say, type Reply } from "../agent/model-server.ts";
import { openStage, type Stage } from "./stage.ts";
import type { Chat, Shown, World } from "./world.ts";

/** What differs between platforms by their nature, for the suite. */
export interface Nature {
  /** Several people can talk in one chat. */
  readonly groups: boolean;
  /** What a person sees after a send whose reply was lost: the platform recognises a repeat, or the repeat says so. */
  readonly repeats: "recognised" | "marked" | "never leaves the process";
}

/** An answer with everything that platforms write differently; every word of it must arrive. */
const RICH_ANSWER = [
  "# Report",
  "A **bold** claim with `code`, a [link](https://example.com/a?b=1&c=2) and 2 < 3 & 4 > 1.",
  "1. first\n2. second\n   - nested",
  "| name | size |\n|---|---|\n| alpha | 10 |\n| beta | 200 |",
  "> a quote",
  `\`\`\`python\n${Array.from({ length: 160 }, (_, line) => `print("line ${line} of <code> & more")`).join("\n")}\n\`\`\``,
  "The end.",
].join("\n\n");

/** How long a person waits for a message before the test says that it is missing, milliseconds. */
const PATIENCE_MS = 25_000;

/**
 * What every platform has to do, seen by the people on it: the whole program runs on a real Redis, the platform's own
 * client library talks to a server on this machine.
 */
export function describePlatform(name: string, open: () => Promise<World>, nature: Nature): void {
  describe(`${name}, seen by the people on it`, () => {
    let world: World;
    let stage: Stage;
    let count = 0;
    vi.setConfig({ testTimeout: 2 * PATIENCE_MS });
    beforeAll(async () => {
      world = await open();
      stage = await openStage(world, { until: afterAll });
    });
    afterAll(() => world.close());

    /** A word that no other test uses: the model's replies are found by it. */
    const word = (...replies: readonly Reply[]): string => {
      const unique = `topic${++count}x`;
      stage.model.when(unique, ...replies);
      return unique;
    };
    const newDirect = (): { chat: Chat; by: string } => {
      const by = `person${++count}`;
      return { chat: world.direct(by), by };
    };
    const newGroup = (): Chat => {
      const chat = world.group?.(`room${++count}`);
      if (chat === undefined) throw new Error("this world has no groups");
      return chat;
    };
    const texts = (shown: readonly Shown[]) => shown.map(({ text }) => text);
    const holds = (part: string) => (shown: readonly Shown[]) => shown.some(({ text }) => text.includes(part));
    const times = (shown: readonly Shown[], part: string) => texts(shown).filter((text) => text.includes(part)).length;
    /** Says what was there instead when it does not come. */
    const seen = async (chat: Chat, condition: (shown: readonly Shown[]) => boolean) => {
      const late = AbortSignal.timeout(PATIENCE_MS);
      const gaveUp = new Promise<never>((_resolve, reject) => {
        late.addEventListener("abort", () =>
          reject(new Error(`it did not come; there is ${JSON.stringify(world.shown(chat), null, 1)}`)),
        );
      });
      return Promise.race([world.until(chat, condition), gaveUp]);
    };
    const until = (chat: Chat, part: string) => seen(chat, holds(part));
    const button = (shown: readonly Shown[], label: string): Shown => {
      const found = shown.find(({ buttons }) => buttons.some((each) => each.label === label));
      if (found === undefined) throw new Error(`no message has the button ${label}: ${JSON.stringify(shown)}`);
      return found;
    };

    test("a direct message gets exactly one answer, and it counts as answered with the platform's own id", async () => {
      const { chat, by } = newDirect();
      const id = await world.say(chat, by, { text: `hello ${word(say("hello yourself"))}` });
      await until(chat, "hello yourself");
      const next = await world.say(chat, by, { text: `and ${word(say("the second"))}` });
      const shown = await until(chat, "the second");
      expect(times(shown, "hello yourself")).toBe(1);
      expect(times(shown, "the second")).toBe(1);
      expect(id).not.toBe(next);
      const redis = new Redis({ path: stage.redisSocket });
      onTestFinished(() => redis.disconnect());
      const notes = await redis.lrange(`{p0}r:${chat.conversation(next)} ${next}`, 0, -1);
      if (nature.repeats !== "never leaves the process") {
        expect(notes.map((note) => (JSON.parse(note) as { postedId: string }).postedId)).toEqual([
          shown.find(({ text }) => text.includes("the second"))?.id,
        ]);
      }
    });

    test("a long answer with headings, lists, a table and code arrives whole and in order", async () => {
      const { chat, by } = newDirect();
      await world.say(chat, by, { text: `a report on ${word(say(RICH_ANSWER))}` });
      const shown = await until(chat, "The end.");
      const all = texts(shown).join("\n");
      const places = [
        "Report",
        "bold",
        "first",
        "second",
        "nested",
        "alpha",
        "200",
        "a quote",
        "line 0 of",
        "line 159 of",
        "The end.",
      ];
      expect(places.map((each) => all.includes(each))).toEqual(places.map(() => true));
      for (let line = 0; line < 160; line++) expect(all).toContain(`line ${line} of`);
      expect(places.map((each) => all.indexOf(each))).toEqual(
        places.map((each) => all.indexOf(each)).toSorted((a, b) => a - b),
      );
    });

    test("answers keep the order of their questions", async () => {
      const { chat, by } = newDirect();
      const first = hold(say("answer one"));
      await world.say(chat, by, { text: word(first.reply) });
      await first.arrived;
      await world.say(chat, by, { text: word(say("answer two")) });
      await world.say(chat, by, { text: word(say("answer three")) });
      first.release();
      const shown = await until(chat, "answer three");
      const order = texts(shown).filter((text) => text.includes("answer "));
      expect(order.map((text) => /answer \w+/.exec(text)?.[0])).toEqual(["answer one", "answer two", "answer three"]);
    });

    test("an edit of a waiting message counts", async () => {
      const { chat, by } = newDirect();
      const first = hold(say("the first is done"));
      await world.say(chat, by, { text: word(first.reply) });
      await first.arrived;
      const wrong = word(say("the wrong one"));
      const right = word(say("the right one"));
      const id = await world.say(chat, by, { text: wrong });
      await waitsInLine(chat, id);
      await world.edit(chat, id, right);
      await expect.poll(() => waiting(chat), { timeout: 10_000 }).toContain(right);
      first.release();
      const shown = await until(chat, "the right one");
      expect(times(shown, "the wrong one")).toBe(0);
    });

    test("the same event five times more is one message", async () => {
      const { chat, by } = newDirect();
      const id = await world.say(chat, by, { text: word(say("only once"), say("a repetition")) });
      await until(chat, "only once");
      await world.redeliver(id, 5);
      await expect.poll(() => world.unacknowledged(), { timeout: 20_000 }).toBe(0);
      await world.say(chat, by, { text: word(say("and on")) });
      const shown = await until(chat, "and on");
      expect(times(shown, "only once") + times(shown, "a repetition")).toBe(1);
    });

    test("a question has buttons; the first press is the answer, a later one is told so", async () => {
      const { chat, by } = newDirect();
      const topic = word(
        call({ name: "ask_user", args: { question: "Which colour?", choices: ["Red", "Blue"] } }),
        say("blue it is"),
      );
      await world.say(chat, by, { text: topic });
      const asked = await seen(chat, (shown) => shown.some(({ buttons }) => buttons.length === 2));
      const question = button(asked, "Blue");
      expect(question.buttons.map(({ label }) => label)).toEqual(["Red", "Blue"]);
      expect(await world.press(chat, by, question, "Blue")).toMatch(/Blue/);
      const shown = await until(chat, "blue it is");
      expect(stage.model.request(topic, 2).raw).toContain("Blue");
      expect(times(shown, "blue it is")).toBe(1);
    });

    test("a command works while a run is going, and stops it", async () => {
      const { chat, by } = newDirect();
      const long = hold(say("never said"));
      await world.say(chat, by, { text: word(long.reply) });
      await long.arrived;
      await world.command(chat, by, "/status");
      await until(chat, "working");
      await world.command(chat, by, "/stop");
      await long.aborted;
      long.release();
      const shown = await until(chat, "Stopped.");
      expect(times(shown, "never said")).toBe(0);
    });

    test("a file that comes in is read, and one that was made goes out", async () => {
      const { chat, by } = newDirect();
      const topic = word(
        call({ name: "artifact_create", args: { name: "notes.md", content: "# made here" } }),
        say("your file"),
      );
      const sent = { name: "in.txt", mimeType: "text/plain", content: Buffer.from("the magic number is 4711") };
      await world.say(chat, by, { text: topic, files: [sent] });
      const shown = await seen(chat, (all) => all.some(({ files }) => files.length > 0));
      expect(stage.model.request(topic).raw).toContain("4711");
      const [file] = shown.flatMap(({ files }) => files);
      expect([file?.name, file?.content.toString()]).toEqual(["notes.md", "# made here"]);
      expect(times(await until(chat, "your file"), "your file")).toBe(1);
    });

    test("/schedule in the platform's own form: add, list, show, run, pause, resume, edit, history, delete", async () => {
      const { chat, by } = newDirect();
      const what = word(say("the plants are watered"));
      let read = 0;
      /** Gives the command; resolves with the text of what was answered to it. */
      const ask = async (command: string, part: string) => {
        await world.command(chat, by, command);
        const shown = await seen(chat, (all) => all.slice(read).some(({ text }) => text.includes(part)));
        const said = texts(shown.slice(read)).join("\n");
        read = shown.length;
        return said;
      };
      const confirmed = await ask(`/schedule add every 2 hours | water ${what}`, what);
      expect(confirmed).toMatch(/every 2 hours/i);
      const id = /\bs\d+-\w+/.exec(confirmed)?.[0] ?? "";
      expect(await ask("/schedule list", what)).toContain(id);
      expect(await ask(`/schedule show ${id}`, what)).toContain(id);
      expect(await ask(`/schedule pause ${id}`, what)).toMatch(/paused/i);
      expect(await ask(`/schedule resume ${id}`, what)).not.toMatch(/paused/i);
      expect(await ask(`/schedule edit ${id} every 3 hours | water ${what} well`, `${what} well`)).toMatch(
        /every 3 hours/i,
      );
      await ask(`/schedule run ${id}`, "the plants are watered");
      await ask(`/schedule history ${id}`, id);
      await ask(`/schedule delete ${id}`, "deleted");
      expect(await ask(`/schedule show ${id}`, id)).toMatch(/no schedule/i);
    });

    test("a time that can be meant in two ways is asked back with buttons, and the press makes the schedule", async () => {
      const { chat, by } = newDirect();
      await world.command(chat, by, "/schedule add in 3h tz UTC | hello");
      await until(chat, "hello");
      await world.command(chat, by, "/schedule add at 5 tz UTC | tea");
      const asked = await seen(chat, (shown) => shown.some(({ buttons }) => buttons.length === 2));
      const question = asked.find(({ buttons }) => buttons.length === 2);
      const [morning] = question?.buttons ?? [];
      if (question === undefined || morning === undefined) throw new Error("there are no buttons");
      expect(question.text).toMatch(/morning/);
      await world.press(chat, by, question, morning.label);
      expect(texts(await until(chat, "05:00")).join("\n")).toContain("tea");
    });

    if (nature.groups)
      describe("in company", () => {
        test("only who names the bot is answered, and the model knows who spoke", async () => {
          const chat = newGroup();
          await world.say(chat, "ada", { text: `not for you ${word(say("wrong to answer"))}` });
          const topic = word(say("ada's answer"));
          const id = await world.say(chat, "ada", { text: topic, mention: true });
          const where = world.thread?.(chat, id) ?? chat;
          const shown = await until(where, "ada's answer");
          expect(times([...shown, ...world.shown(chat)], "wrong to answer")).toBe(0);
          expect(stage.model.request(topic).raw).toContain("ada");
        });

        test("other bots are never answered", async () => {
          const chat = newGroup();
          world.bot("chatterbox");
          await world.say(chat, "chatterbox", { text: word(say("bots talking")), mention: true });
          const id = await world.say(chat, "ada", { text: word(say("to a person")), mention: true });
          const where = world.thread?.(chat, id) ?? chat;
          await until(where, "to a person");
          expect(times(world.shown(chat), "bots talking")).toBe(0);
        });
      });

    if (nature.repeats !== "never leaves the process") {
      test("a deleted message that waits is withdrawn", async () => {
        // Telegram does not tell bots what was deleted.
        if (world.delete === undefined) return;
        const { chat, by } = newDirect();
        const first = hold(say("first over"));
        await world.say(chat, by, { text: word(first.reply) });
        await first.arrived;
        const id = await world.say(chat, by, { text: word(say("withdrawn all the same")) });
        await waitsInLine(chat, id);
        await world.delete(chat, id);
        await expect.poll(() => waiting(chat), { timeout: 10_000 }).toBe("");
        first.release();
        await until(chat, "first over");
        await world.say(chat, by, { text: word(say("afterwards")) });
        expect(times(await until(chat, "afterwards"), "withdrawn all the same")).toBe(0);
      });

      test("a limit on the rate holds the conversation's line and keeps its order", async () => {
        const { chat, by } = newDirect();
        world.fault?.({ kind: "rate-limited", seconds: 1 });
        await world.say(chat, by, { text: word(say("held back")) });
        await world.say(chat, by, { text: word(say("behind it")) });
        const shown = await until(chat, "behind it");
        const order = texts(shown).filter((text) => /held back|behind it/.test(text));
        expect(order.map((text) => /held back|behind it/.exec(text)?.[0])).toEqual(["held back", "behind it"]);
      });

      test("errors of the platform are tried again, and nothing is said twice", async () => {
        const { chat, by } = newDirect();
        world.fault?.({ kind: "failing", status: 500 }, { kind: "failing", status: 503 });
        await world.say(chat, by, { text: word(say("through the storm")) });
        const shown = await until(chat, "through the storm");
        expect(times(shown, "through the storm")).toBe(1);
      });

      test("a send whose reply is lost: the person sees one message, or a repeat that says so", async () => {
        const { chat, by } = newDirect();
        world.fault?.({ kind: "reply-lost" });
        await world.say(chat, by, { text: word(say("was it sent")) });
        await world.say(chat, by, { text: word(say("the one after")) });
        const shown = await until(chat, "the one after");
        const seen = texts(shown).filter((text) => text.includes("was it sent"));
        if (nature.repeats === "recognised") expect(seen).toHaveLength(1);
        else expect(seen.map((text) => text.includes(REPEAT_MARK))).toEqual([false, true]);
      });

      test("where the bot may not post the answer is a dead letter, and others are not held up", async () => {
        const { chat, by } = newDirect();
        world.fault?.({ kind: "forbidden" });
        const id = await world.say(chat, by, { text: word(say("unwanted answer")) });
        await world.say(chat, by, { text: word(say("wanted answer")) });
        const shown = await until(chat, "wanted answer");
        expect(times(shown, "unwanted answer")).toBe(0);
        const redis = new Redis({ path: stage.redisSocket });
        onTestFinished(() => redis.disconnect());
        const [letter = ""] = await redis.lrange("{p0}dead", -1, -1);
        expect(letter).toContain("unwanted answer");
        expect(letter).toContain("forbidden");
        expect(letter).toContain(id);
      });

      test("markup that the platform refuses loses no word", async () => {
        const { chat, by } = newDirect();
        world.fault?.({ kind: "markup-refused" });
        await world.say(chat, by, { text: word(say("some **bold** words & <signs>")) });
        const shown = await until(chat, "bold");
        expect(times(shown, "words &")).toBe(1);
      });

      test("when connections are cut the listener comes back by itself", async () => {
        const { chat, by } = newDirect();
        await world.say(chat, by, { text: word(say("before the cut")) });
        await until(chat, "before the cut");
        world.cut?.();
        await world.say(chat, by, { text: word(say("after the cut")) });
        expect(times(await until(chat, "after the cut"), "after the cut")).toBe(1);
      });

      test("what was said while the program was down is answered when it is back", async () => {
        const { chat, by } = newDirect();
        await world.say(chat, by, { text: word(say("before the stop")) });
        await until(chat, "before the stop");
        const restarting = stage.restart();
        await world.say(chat, by, { text: word(say("said meanwhile")) });
        await restarting;
        expect(times(await until(chat, "said meanwhile"), "said meanwhile")).toBe(1);
      }, 60_000);

      test("the operator sees the platform in the health of the process", async () => {
        await expect
          .poll(async () => (await stage.checks())[world.platform], { timeout: 20_000 })
          .toMatch(/^connected/);
      });
    }

    /** The texts that wait in a conversation, as they would be read. */
    async function waiting(chat: Chat): Promise<string> {
      const redis = new Redis({ path: stage.redisSocket });
      const entries = await redis.lrange(`{p0}q:chat/${chat.conversation("")}`, 0, -1);
      redis.disconnect();
      return entries.join("\n");
    }

    async function waitsInLine(chat: Chat, id: string): Promise<void> {
      await expect.poll(() => waiting(chat), { timeout: 20_000 }).toContain(id);
    }
  });

  if (nature.repeats === "never leaves the process") return;
  describe(`${name}, for strangers`, () => {
    test("a code lets a stranger in, and nobody else", async () => {
      const world = await open();
      onTestFinished(() => world.close());
      const stage = await openStage(world, { env: { PARLEY_ACCESS: "pairing" } });
      stage.model.otherwise(say("nice to meet you"));
      const chat = world.direct("stranger");
      await world.say(chat, "stranger", { text: "hello" });
      const told = await world.until(chat, (shown) => shown.some(({ text }) => text.includes("parley pair")));
      const code = /parley pair ([A-Z0-9]{8})/.exec(told.map(({ text }) => text).join("\n"))?.[1] ?? "";
      const response = await fetch(`${stage.url()}/v1/pairings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code }),
      });
      expect(response.status).toBe(201);
      await world.say(chat, "stranger", { text: "hello again" });
      await world.until(chat, (shown) => shown.some(({ text }) => text.includes("nice to meet you")));
      expect(stage.model.requests).toHaveLength(1);
    });
  });
}
