import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { packLines } from "../engine/archive.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { silentLog } from "../kernel/ports.ts";
import { createHistoryReader, isShared } from "./history.ts";
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
    const { runs: read } = createHistoryReader(silentLog)({ lines: recent, archive }, maxMessages);
    expect(read.map(({ runId }) => runId).join("")).toBe(runs);
  });

  test("of a new conversation is empty", () => {
    expect(createHistoryReader(silentLog)({ lines: [], archive: undefined }, 50)).toEqual({
      runs: [],
      summary: undefined,
      runsSince: 0,
    });
  });
});

test.each([
  { speakers: [], shared: false },
  { speakers: [{}], shared: false },
  { speakers: [{}, {}], shared: false },
  { speakers: [{}, { workspaceId: parseWorkspaceId("other") }], shared: true },
  { speakers: [{ authorName: "Ana" }], shared: true },
  { speakers: [{ shared: true }], shared: true },
])("a conversation of $speakers is shared: $shared", ({ speakers, shared }) => {
  const lines = speakers.flatMap((speaker, index) => [
    line.opened(`r${index}`, message(`m${index}`, "hi", speaker)),
    line.ended(`r${index}`, "done"),
  ]);
  expect(isShared(readRuns(entriesOf(...lines)))).toBe(shared);
});

describe("the summary", () => {
  const attempt = (upTo: string) => line.step("summary", { summary: { text: `up to ${upTo}`, upTo, runs: 1 } });
  const withSummary = (upTo: string) => [line.opened("s", message("s", "q")), attempt(upTo), line.ended("s", "done")];

  test.each([
    { given: "none", lines: [...runLines("a"), ...runLines("b")], archive: undefined, upTo: undefined, since: 2 },
    { given: "one", lines: [...withSummary("a"), ...runLines("b")], archive: undefined, upTo: "a", since: 1 },
    { given: "two", lines: [...withSummary("a"), ...withSummary("b")], archive: undefined, upTo: "b", since: 0 },
    {
      given: "one in the archive",
      lines: runLines("c"),
      archive: [...withSummary("a"), ...runLines("b")],
      upTo: "a",
      since: 2,
    },
    { given: "one in each", lines: withSummary("c"), archive: withSummary("a"), upTo: "c", since: 0 },
    {
      given: "a damaged one",
      lines: [line.step("summary", { text: 1 })],
      archive: undefined,
      upTo: undefined,
      since: 0,
    },
  ])(
    "of $given is up to $upTo, $since runs ago, however little else is read",
    async ({ lines, archive, upTo, since }) => {
      const history = { lines, archive: archive === undefined ? undefined : await packLines(archive) };
      const read = createHistoryReader(silentLog);
      // The second time what is known of the archive is used.
      for (const past of [read(history, 2), read(history, 2)]) {
        expect(past).toMatchObject({ runsSince: since });
        expect(past.summary?.summary?.upTo).toBe(upTo);
      }
    },
  );
});
