import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { packLines } from "../engine/archive.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { silentLog } from "../kernel/ports.ts";
import { isShared, readHistory } from "./history.ts";
import { readRuns } from "./runs.ts";

const runLines = (name: string) => [
  line.opened(name, message(name, "q")),
  line.reply(1, "a"),
  line.ended(name, "done"),
];
const older = await packLines(["a", "b", "c"].flatMap(runLines));
const recent = ["d", "e", "f"].flatMap(runLines);

describe("the history a model may read", () => {
  test.each([
    { maxMessages: 1, archive: older, runs: "f" },
    { maxMessages: 4, archive: older, runs: "ef" },
    { maxMessages: 6, archive: older, runs: "def" },
    { maxMessages: 7, archive: older, runs: "cdef" },
    { maxMessages: 50, archive: older, runs: "abcdef" },
    { maxMessages: 50, archive: undefined, runs: "def" },
    { maxMessages: 50, archive: Buffer.from("damaged"), runs: "def" },
    { maxMessages: 2, archive: Buffer.from("damaged"), runs: "f" },
  ])("of at most $maxMessages messages holds the runs $runs", ({ maxMessages, archive, runs }) => {
    const read = readHistory({ lines: recent, archive }, maxMessages, silentLog);
    expect(read.map(({ runId }) => runId).join("")).toBe(runs);
  });

  test("of a new conversation is empty", () => {
    expect(readHistory({ lines: [], archive: undefined }, 50, silentLog)).toEqual([]);
  });
});

test.each([
  { speakers: [], shared: false },
  { speakers: [{}], shared: false },
  { speakers: [{}, {}], shared: false },
  { speakers: [{}, { workspaceId: parseWorkspaceId("other") }], shared: true },
  { speakers: [{ authorName: "Ana" }], shared: true },
])("a conversation of $speakers is shared: $shared", ({ speakers, shared }) => {
  const lines = speakers.flatMap((speaker, index) => [
    line.opened(`r${index}`, message(`m${index}`, "hi", speaker)),
    line.ended(`r${index}`, "done"),
  ]);
  expect(isShared(readRuns(entriesOf(...lines)))).toBe(shared);
});
