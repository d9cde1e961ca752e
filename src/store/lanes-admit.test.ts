import { describe, expect, test } from "vitest";
import { CHAT, closing, laneLab, mail } from "../../test/engine/lane-lab.ts";
import type { Admission } from "./lane-contract.ts";
import type { LaneState } from "./lane-state.ts";

const lab = await laneLab({ limits: { maxWaiting: 3 } });
const { lanes, redis } = lab;

interface Case {
  readonly given: string;
  readonly arrange: () => Promise<unknown>;
  readonly reply: Partial<Admission>;
  readonly state: LaneState["kind"];
  /** What waits in the inbox afterwards. */
  readonly waiting: readonly string[];
}

async function parkForMail(): Promise<void> {
  const { lane, token } = await lab.begin("first");
  await lanes.park({ lane, token, mail: true, waitMs: 60_000, failed: false, lines: [] });
}

const cases: readonly Case[] = [
  {
    given: "an idle lane",
    arrange: async () => {},
    reply: { status: "started", ahead: 0 },
    state: "ready",
    waiting: ["m"],
  },
  {
    given: "a lane whose history is from an earlier run",
    arrange: async () => lab.end(await lab.begin("first")),
    reply: { status: "started", ahead: 0 },
    state: "ready",
    waiting: ["m"],
  },
  {
    given: "a lane in line for a worker",
    arrange: () => lanes.admit(CHAT, mail("first")),
    reply: { status: "queued", ahead: 1 },
    state: "ready",
    waiting: ["first", "m"],
  },
  {
    given: "a lane with a run",
    arrange: () => lab.begin("first"),
    reply: { status: "queued", ahead: 1 },
    state: "run",
    waiting: ["m"],
  },
  {
    given: "a lane with a run and one waiting",
    arrange: async () => {
      await lab.begin("first");
      await lanes.admit(CHAT, mail("second"));
    },
    reply: { status: "queued", ahead: 2 },
    state: "run",
    waiting: ["second", "m"],
  },
  {
    given: "a run that waits for mail",
    arrange: parkForMail,
    reply: { status: "joined", ahead: 0 },
    state: "resume",
    waiting: [],
  },
  {
    given: "a run that waited for mail and got it already",
    arrange: async () => {
      await parkForMail();
      await lanes.admit(CHAT, mail("answer"));
    },
    reply: { status: "queued", ahead: 1 },
    state: "resume",
    waiting: ["m"],
  },
  {
    given: "a run that waits for something else",
    arrange: async () => {
      const { lane, token } = await lab.begin("first");
      await lanes.park({ lane, token, mail: false, key: "approval", failed: false, lines: [] });
    },
    reply: { status: "queued", ahead: 1 },
    state: "parked",
    waiting: ["m"],
  },
  {
    given: "a run that waits for mail and whose journal was erased by hand",
    arrange: async () => {
      await parkForMail();
      await redis.del("{p0}c:chat/ada");
    },
    reply: { status: "started", ahead: 0 },
    state: "ready",
    waiting: ["m"],
  },
  {
    given: "the same id, still waiting",
    arrange: () => lanes.admit(CHAT, mail("m")),
    reply: { status: "duplicate", ahead: 0, earlier: expect.stringMatching(/^waiting id/) },
    state: "ready",
    waiting: ["m"],
  },
  {
    given: "the same id, with a run",
    arrange: () => lab.begin("m"),
    reply: { status: "duplicate" },
    state: "run",
    waiting: [],
  },
  {
    given: "the same id, answered long ago",
    arrange: async () => {
      const { lane, token, runId } = await lab.begin("m");
      await lanes.finish({
        lane,
        token,
        journal: "keep",
        lines: [closing(runId)],
        effects: { records: [{ key: "m:ada m", value: "answered", ttlMs: 1000 }] },
      });
    },
    reply: { status: "duplicate", earlier: "answered" },
    state: "idle",
    waiting: [],
  },
  {
    given: "the same id, withdrawn",
    arrange: async () => {
      await lanes.admit(CHAT, mail("m"));
      await lanes.withdraw(CHAT, mail("m").id);
    },
    reply: { status: "duplicate", earlier: "withdrawn" },
    state: "ready",
    waiting: [],
  },
  {
    given: "a full inbox",
    arrange: async () => {
      for (const id of ["a", "b", "c"]) await lanes.admit(CHAT, mail(id));
    },
    reply: { status: "full", ahead: 3 },
    state: "ready",
    waiting: ["a", "b", "c"],
  },
];

describe("a message is admitted", () => {
  test.each(cases)("admit: $given -> $reply.status", async ({ arrange, reply, state, waiting }) => {
    await lab.register("w");
    await arrange();
    expect(await lanes.admit(CHAT, mail("m"))).toMatchObject(reply);
    expect((await lanes.look(CHAT)).kind).toBe(state);
    expect((await lanes.waiting(CHAT)).map(({ id }) => id)).toEqual(waiting);
  });

  test("once by id, also when the same id comes for another kind of lane of the same name", async () => {
    await lanes.admit(CHAT, mail("m"));
    const again = await lanes.admit("control/ada" as typeof CHAT, mail("m"));
    expect(again).toMatchObject({ status: "duplicate", earlier: expect.stringMatching(/^waiting /) });
  });

  test("and refused when the inbox is full, so that its id is accepted later", async () => {
    for (const id of ["a", "b", "c"]) await lanes.admit(CHAT, mail(id));
    expect(await lanes.admit(CHAT, mail("m"))).toMatchObject({ status: "full" });
    await lab.register("w");
    await lab.take();
    expect(await lanes.admit(CHAT, mail("m"))).toMatchObject({ status: "queued" });
  });

  test("and known by its id for as long as is promised, however it fares", async () => {
    await lanes.admit(CHAT, mail("m"));
    expect(await redis.pttl("{p0}m:ada m")).toBeGreaterThan(lanes.limits.recordMs - 60_000);
    expect(lanes.limits.recordMs).toBeGreaterThanOrEqual(24 * 3_600_000);
    await redis.pexpire("{p0}m:ada m", 1_000);
    await lanes.withdraw(CHAT, mail("m").id);
    expect(await redis.pttl("{p0}m:ada m")).toBeGreaterThan(lanes.limits.recordMs - 60_000);
  });

  test("and rings the bell once for the lane, not for every message", async () => {
    for (const id of ["a", "b", "c"]) await lanes.admit(CHAT, mail(id));
    expect(await redis.llen("{p0}bell:chat")).toBe(1);
    expect(await redis.lrange("{p0}ready:chat", 0, -1)).toEqual([CHAT]);
  });

  test("into the journal of the run that waits for it, which no longer wakes by its clock", async () => {
    await parkForMail();
    await lanes.admit(CHAT, mail("answer"));
    expect((await lanes.readJournal(CHAT)).at(-1)).toMatch(/^\+-answer id\d+\.\w+ "answer"$/);
    expect(await redis.zcard("{p0}delay")).toBe(0);
    const [claim] = await lab.take();
    expect(claim).toMatchObject({ resumed: true, attempt: 1 });
  });
});
