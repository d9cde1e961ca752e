import { createTextSource } from "./prose.ts";
import { seededChance } from "./seeded.ts";

/** One message of a person, as both engines get it. */
export interface BenchMessage {
  readonly id: string;
  readonly person: string;
  /** JSON, about 150 bytes. */
  readonly body: string;
}

/** How many messages are under way at once. */
export const IN_FLIGHT = 50;

/** How many people talk. */
const PEOPLE = 200;

/** How long the fate of a message is noted, milliseconds. */
export const RECORD_MS = 48 * 3_600_000;

/** What the instant model and the instant tool of a run give back: small, but of realistic shape. */
export const FIRST_REPLY = {
  text: "",
  toolCalls: [{ id: "call_9f31c2", name: "memory_set", args: '{"key":"city","value":"Lisbon"}' }],
  usage: { inputTokens: 412, outputTokens: 23 },
  model: "bench-1",
};
export const TOOL_RESULT = { content: '{"stored":true,"entries":7}', ok: true };
export const FINAL_REPLY = {
  text:
    "Noted: you are in Lisbon now. The next train to Porto leaves at 14:09 from Oriente and takes about three hours; " +
    "I can remind you half an hour before, if you like.",
  toolCalls: [],
  usage: { inputTokens: 478, outputTokens: 41 },
  model: "bench-1",
};

/** Makes the messages of a load: the same ones for the same seed, ids that begin with `prefix`, people in turn. */
export function createMessages(seed: number, prefix: string): (number: number) => BenchMessage {
  const write = createTextSource(seededChance(seed));
  const texts = Array.from({ length: 256 }, () => write(100));
  return (number) => {
    const id = `${prefix}${number}`;
    const text = texts[number % texts.length] ?? "";
    return { id, person: `u${number % PEOPLE}`, body: JSON.stringify({ id, text, at: 1_700_000_000_000 + number }) };
  };
}
