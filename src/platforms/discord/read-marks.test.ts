import { expect, test } from "vitest";
import { silentLog } from "../../kernel/ports.ts";
import type { PlatformNotes } from "../notes.ts";
import { loadReadMarks } from "./read-marks.ts";
import { snowflakeAt, timeOfSnowflake } from "./snowflake.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const at = (ms: number) => snowflakeAt(NOW + ms);

function notesWith(heard: string | undefined, reached: Readonly<Record<string, string>> = {}) {
  const written: string[] = [];
  const all = new Map(Object.entries(reached));
  const notes: PlatformNotes = {
    read: () => Promise.resolve(written.at(-1) ?? heard),
    write: (_key, value) => Promise.resolve(void written.push(value)),
    keep: (_key, value) => Promise.resolve(value),
    reach: (channel, cursor) => Promise.resolve(void all.set(channel, cursor)),
    reached: () =>
      Promise.resolve([...all].map(([channel, cursor]) => ({ channel, cursor, at: timeOfSnowflake(cursor) }))),
  };
  return { notes, written, all };
}

async function load(notes: PlatformNotes) {
  let time = 0;
  const marks = await loadReadMarks({ notes, clock: { now: () => NOW, monotonic: () => time }, log: silentLog });
  return { marks, pass: (ms: number) => (time += ms) };
}

test.each([
  ["nothing was ever heard: from now on", undefined, {}, at(0)],
  ["a channel without a mark: the common one, with a margin", at(-600_000), {}, at(-660_000)],
  ["a channel with an older mark: the common one", at(-600_000), { "5": at(-900_000) }, at(-660_000)],
  ["a channel with a newer mark: its own", at(-600_000), { "5": at(-1000) }, at(-1000)],
  ["a direct chat with a mark: its own", at(-600_000), { "direct/5": at(-1000) }, at(-1000)],
  ["longer ago than a message is recognised: not everything", at(-10 * 86_400_000), {}, at(-47 * 3_600_000)],
])("%s", async (_what, heard, reached, expected) => {
  const { marks } = await load(notesWith(heard, reached).notes);
  expect(marks.after("5", marks.common())).toBe(expected);
});

test("a mark never goes back", async () => {
  const { notes, all } = notesWith(at(0));
  const { marks } = await load(notes);
  await marks.kept({ id: "5", direct: true }, at(2000));
  await marks.kept({ id: "5", direct: true }, at(1000));
  expect(all.get("direct/5")).toBe(at(2000));
  expect(marks.directChats()).toEqual(["5"]);
});

test("a direct chat is noted before its first message is kept", async () => {
  const { notes, all } = notesWith(at(0));
  const { marks } = await load(notes);
  await marks.met("5", "1000");
  await marks.met("5", "2000");
  expect(all.get("direct/5")).toBe("999");
});

test("the common mark stops before what is not kept yet, and is noted at most every five seconds", async () => {
  const { notes, written } = notesWith(at(0));
  const { marks, pass } = await load(notes);
  await marks.heard(at(1000), undefined);
  await marks.heard(at(3000), at(2000));
  expect(written).toEqual([at(1000)]);
  pass(5000);
  await marks.heard(at(4000), at(2000));
  expect(written.at(-1)).toBe(String(BigInt(at(2000)) - 1n));
  await marks.heard(at(5000), undefined);
  await marks.save();
  expect(written.at(-1)).toBe(at(5000));
});
