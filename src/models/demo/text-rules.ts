import { say, type Rule } from "./move.ts";

/** What the demo model can do, in the words a person would use. */
const ABILITIES = [
  'remember and recall: "remember that my favourite colour is blue", "what is my favourite colour?", "what do you remember?", "forget my favourite colour"',
  'calculate: "what is 12*7+1?"',
  'tell the time: "what time is it in Europe/Madrid?"',
  'read a page: "fetch https://example.com"',
  'ask you something: "ask me whether tea or coffee"',
  'work in steps: "run a long job of 5 steps", "count to 6 in parallel"',
  'set reminders where schedules are available: "remind me in 10 minutes to stretch"',
  'write: "write a long answer of 400 words", "echo hello"',
];

const CONNECT =
  "To connect a real model, set AI_URL to the address of an OpenAI-compatible service and AI_API_KEY to its key (AI_MODEL chooses the model), then restart.";

/** Greetings, help, echo and long answers. */
export const textRules: readonly Rule[] = [
  {
    pattern: /^(?:help|(?:what|who) are you|what can you do|how do you work|what can i (?:do|ask)(?: here)?|\?)\W*$/i,
    respond: () =>
      say(`I am an offline demo model: a list of rules, no intelligence. I can\n\n${abilities()}\n\n${CONNECT}`),
  },
  {
    pattern: /^(?:hi|hello|hey|hola|good (?:morning|afternoon|evening|day))(?: (?:there|parley|bot|everyone))?\W*$/i,
    respond: () => say('Hello! I am an offline demo model. Ask "what can you do?" to see what I understand.'),
  },
  { pattern: /^(?:thanks|thank you|thx|cheers)\b.{0,40}$/i, respond: () => say("You are welcome.") },
  { pattern: /^echo:?\s+([\s\S]+)$/i, respond: ([, text = ""]) => say(text) },
  {
    pattern:
      /^(?:write|give|tell|send)(?: me)? (?:an?|some) (?:very )?(?:long )?(?:answer|text|story|reply)(?: (?:of|with)(?: about)? (\d+) words)?\W*$/i,
    respond: ([, count]) => say(longText(Math.min(Number(count ?? 300), MAX_WORDS))),
  },
];

/** The answer to everything no rule understands. */
export function notUnderstood(): string {
  return `I am an offline demo model, a list of rules without intelligence, and this is beyond me. I can\n\n${abilities()}\n\n${CONNECT}`;
}

const MAX_WORDS = 5000;

const SENTENCES = [
  "This is a long answer from the offline demo model.",
  "Every sentence in it is written in advance and repeats after a while.",
  "It shows how an answer streams in, word by word, and how a long one is split for a platform with small messages.",
  "Nothing of it is lost on the way, whatever happens to the process that carries it.",
  "Stop it, restart it, and the answer arrives once.",
];

function longText(words: number): string {
  const paragraphs: string[] = [];
  for (let left = Math.max(words, 1), round = 1; left > 0; round += 1) {
    const paragraph = [`(${round})`, ...SENTENCES.join(" ").split(" ")].slice(0, left);
    paragraphs.push(paragraph.join(" "));
    left -= paragraph.length;
  }
  return paragraphs.join("\n\n");
}

function abilities(): string {
  return ABILITIES.map((ability) => `- ${ability}`).join("\n");
}
