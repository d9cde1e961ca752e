import { expect, onTestFinished, test } from "vitest";
import { call, say } from "../agent/model-server.ts";
import { openDiscordWorld } from "./discord/world.ts";
import { openSlackWorld } from "./slack/world.ts";
import { openStage } from "./stage.ts";
import { openTelegramWorld } from "./telegram/world.ts";
import { openWebWorld } from "./web-world.ts";
import type { Shown, World } from "./world.ts";

const WORLDS: readonly (readonly [string, () => Promise<World>])[] = [
  ["the web page", () => Promise.resolve(openWebWorld("web"))],
  ["the terminal", () => Promise.resolve(openWebWorld("terminal"))],
  ["Slack", () => openSlackWorld()],
  ["Discord", () => openDiscordWorld()],
  ["Telegram", () => openTelegramWorld()],
];

/** What is said, in order; each is answered before the next. */
const SCRIPT = [
  "please remember that my plant is a fern",
  "what is my plant",
  "what is 12 times 34",
  "tell me a story with a list and some code",
  "ask me something",
  "/memory",
  "/schedule add every 3 hours | water the fern",
  "/new",
  "what is my plant",
];

/** The words of a message: without its platform's markup, without ids and times, which are never the same. */
function wordsOf(text: string): string {
  return text
    .replaceAll(/```\w*/g, " ")
    .replaceAll(/<[^<>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll(/\bs\d+-\w+/g, "ID")
    .replaceAll(/\b(slack|discord|telegram|web|terminal)\b(:\S+)?/gi, "PLACE")
    .replaceAll(/\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}(:\d{2})?/g, "TIME")
    .replaceAll(
      /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b|\b\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*( \d{4})?/g,
      "DAY",
    )
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Plays the script in a direct chat; what was answered to each line. */
async function play(open: () => Promise<World>): Promise<string[]> {
  const world = await open();
  onTestFinished(() => world.close());
  const stage = await openStage(world);
  const { model } = stage;
  model.when(
    "remember that my plant",
    call({ name: "memory_set", args: { key: "plant", value: "fern" } }),
    say("Noted: a **fern**."),
  );
  model.when("what is my plant", call({ name: "memory_get", args: { key: "plant" } }), say("It is a fern."));
  model.when("12 times 34", call({ name: "calculate", args: { expression: "12 * 34" } }), say("12 × 34 = 408"));
  model.when("a story", say("# A story\n\n- first\n- second\n\n```js\nconst a = 1 < 2;\n```\n\nThe end."));
  model.when(
    "ask me something",
    call({ name: "ask_user", args: { question: "Tea or coffee?", choices: ["Tea", "Coffee"] } }),
    say("Tea it is."),
  );
  const chat = world.direct("ada");
  const answers: string[] = [];
  let seen = 0;
  for (const line of SCRIPT) {
    if (line === "what is my plant" && answers.length > 2)
      model.when("what is my plant", call({ name: "memory_get", args: { key: "plant" } }), say("It is a fern, still."));
    await (line.startsWith("/") ? world.command(chat, "ada", line) : world.say(chat, "ada", { text: line }));
    const fresh = (shown: readonly Shown[]) => shown.slice(seen).filter(({ text }) => text !== "");
    if (line === "ask me something") {
      const asked = await world.until(chat, (shown) => fresh(shown).some(({ buttons }) => buttons.length === 2));
      const question = fresh(asked).find(({ buttons }) => buttons.length === 2);
      if (question === undefined) throw new Error("no question");
      answers.push(wordsOf("Tea or coffee?"));
      await world.press(chat, "ada", question, "Tea");
    }
    const ending = line === "ask me something" ? "Tea it is" : "";
    const shown = await world.until(chat, (all) =>
      fresh(all).some(({ text }) => ending === "" || text.includes(ending)),
    );
    answers.push(
      fresh(shown)
        .filter(({ text }) => ending === "" || text.includes(ending))
        .map(({ text }) => wordsOf(text))
        .join(" "),
    );
    seen = shown.length;
  }
  return answers;
}

test("the same conversation gives the same answers on all five platforms", async () => {
  const played: Record<string, string[]> = {};
  for (const [name, open] of WORLDS) played[name] = await play(open);
  const [[, first] = ["", []], ...others] = Object.entries(played);
  expect(first).toHaveLength(SCRIPT.length + 1);
  expect(first?.join("\n")).toContain("12 34 408");
  for (const [name, answers] of others) expect([name, answers]).toEqual([name, first]);
}, 120_000);
