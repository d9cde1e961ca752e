import { describe, expect, test } from "vitest";
import { CHAT, closing, laneLab, mail } from "../../test/engine/lane-lab.ts";
import type { RunId } from "../kernel/ids.ts";
import { approvalKey } from "./keys.ts";
import type { Decide, Decided } from "./lane-contract.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

const MATTER = approvalKey("apr_1");
const RECORD = `{p0}${MATTER}`;
const WAIT_MS = 60_000;

/** A run that has put a matter up and waits for the decision. */
async function waiting() {
  const claim = await lab.begin();
  const { lane, token } = claim;
  const records = [lanes.matterRecord(MATTER, '{"what":"pay"}', WAIT_MS)];
  const parking = { waitMs: WAIT_MS, key: "k", mail: false, failed: false, linesRead: 1, lines: ["#asked"] };
  await lanes.park({ lane, token, ...parking, effects: { records } });
  return claim;
}

/** The same, once a worker has the run again. */
async function resumed() {
  const { runId } = await waiting();
  for (const lane of await redis.zrange("{p0}delay", 0, "-1")) await redis.zadd("{p0}delay", 1, lane);
  await lab.register("w");
  const [claim] = await lab.take();
  if (claim === undefined) throw new Error("the run did not wake");
  return { ...claim, runId };
}

function decide(runId: RunId, decision: string, by: Decide["by"] = "person"): Promise<Decided> {
  const announce = { channel: "c", payload: decision };
  return lanes.decide({ lane: CHAT, runId, matter: MATTER, key: "k", decision, line: `~${decision}`, by, announce });
}

const decisions = (lines: readonly string[]) => lines.filter((line) => line.startsWith("~"));

describe("a matter is decided", () => {
  interface Case {
    readonly given: string;
    readonly arrange: () => Promise<RunId>;
    readonly by?: Decide["by"];
    readonly outcome: Decided["outcome"];
  }
  const cases: readonly Case[] = [
    { given: "a run that waits for it", arrange: async () => (await waiting()).runId, outcome: "recorded" },
    { given: "a run that is going", arrange: async () => (await resumed()).runId, outcome: "recorded" },
    {
      given: "a run that waits for something else",
      arrange: async () => {
        const { lane, token, runId } = await resumed();
        await lanes.park({ lane, token, waitMs: 60_000, mail: false, failed: false, lines: [] });
        return runId;
      },
      outcome: "recorded",
    },
    {
      given: "an earlier decision",
      arrange: async () => {
        const { runId } = await waiting();
        await decide(runId, "no");
        return runId;
      },
      outcome: "decided",
    },
    {
      given: "its time is over and nobody noticed yet",
      arrange: async () => {
        const { runId } = await waiting();
        await redis.pexpire(RECORD, lanes.limits.recordMs);
        return runId;
      },
      outcome: "late",
    },
    {
      given: "the run that declares that its time is over",
      arrange: async () => (await resumed()).runId,
      by: "run",
      outcome: "recorded",
    },
    {
      given: "the run that does so when a person was faster",
      arrange: async () => {
        const { runId } = await resumed();
        await decide(runId, "no");
        return runId;
      },
      by: "run",
      outcome: "decided",
    },
    {
      given: "a run that has ended",
      arrange: async () => {
        const { lane, token, runId } = await resumed();
        await lanes.finish({ lane, token, journal: "keep", lines: [closing(runId)] });
        return runId;
      },
      outcome: "over",
    },
    {
      given: "a conversation that has gone on to another run",
      arrange: async () => {
        const { lane, token, runId } = await resumed();
        await lanes.finish({ lane, token, journal: "keep", lines: [closing(runId)] });
        await lab.begin("next");
        return runId;
      },
      outcome: "over",
    },
    {
      given: "no such matter",
      arrange: async () => {
        const { runId } = await waiting();
        await redis.del(RECORD);
        return runId;
      },
      outcome: "unknown",
    },
    {
      given: "the run declares the time over of a record that was erased",
      arrange: async () => {
        const { runId } = await resumed();
        await redis.del(RECORD);
        return runId;
      },
      by: "run",
      outcome: "recorded",
    },
    {
      given: "a journal that was erased by hand",
      arrange: async () => {
        const { runId } = await waiting();
        await redis.del("{p0}c:chat/ada");
        return runId;
      },
      outcome: "over",
    },
  ];

  test.each(cases)("decide: $given -> $outcome", async ({ arrange, by, outcome }) => {
    const runId = await arrange();
    const before = await lab.snapshot();
    const state = await lanes.look(CHAT);
    expect((await decide(runId, "yes", by)).outcome).toBe(outcome);
    const after = await lab.snapshot();
    if (outcome !== "recorded") return expect(after).toEqual(before);
    const lines = await lanes.readJournal(CHAT, state.kind === "run" ? state.token : undefined);
    expect(decisions(lines)).toEqual(["~yes"]);
    // The same command again changes nothing and says the same; another decision comes too late.
    if (RECORD in before) {
      expect((await decide(runId, "yes", by)).outcome).toBe("recorded");
      expect(await decide(runId, "no", by)).toEqual({ outcome: "decided", record: 'yes\n{"what":"pay"}' });
      expect(await lab.snapshot()).toEqual(after);
      expect(await redis.pttl(RECORD)).toBeGreaterThan(lanes.limits.recordMs);
    }
  });

  test("and wakes the run that waits for it, and no other", async () => {
    const { runId } = await waiting();
    await decide(runId, "yes");
    expect(await lab.take()).toMatchObject([{ lane: CHAT, resumed: true }]);
    expect(await redis.zcard("{p0}delay")).toBe(0);
  });

  test("while its run works: it does not wait for what is there already", async () => {
    const { lane, token, runId } = await resumed();
    await decide(runId, "yes");
    // The run has read the two lines from before.
    const parking = { waitMs: WAIT_MS, key: "k", mail: false, failed: false, lines: ["#more"] };
    expect(await lanes.park({ lane, token, ...parking, linesRead: 2 })).toBe(true);
    expect((await lanes.look(lane)).kind).toBe("resume");
    const [again] = await lab.take();
    if (again === undefined) throw new Error("the run was not in line");
    expect((await lanes.readJournal(lane, again.token)).slice(1)).toEqual(["#asked", "~yes", "#more"]);
    // Now it has.
    expect(await lanes.park({ lane, token: again.token, ...parking, linesRead: 4 })).toBe(true);
    expect((await lanes.look(lane)).kind).toBe("parked");
  });

  test("by two at the same moment: one of them is the first, and both learn which", async () => {
    const { runId } = await waiting();
    const both = await Promise.all([decide(runId, "yes"), decide(runId, "no")]);
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(["decided", "recorded"]);
    expect(new Set(both.map(({ record }) => record)).size).toBe(1);
    expect(decisions(await lanes.readJournal(CHAT))).toHaveLength(1);
  });

  test("and what came meanwhile stays in line behind the run", async () => {
    const { runId } = await waiting();
    await lanes.admit(CHAT, mail("m2"));
    await decide(runId, "yes");
    expect(await lanes.waiting(CHAT)).toHaveLength(1);
    expect(await lab.take()).toMatchObject([{ runId }]);
  });
});
