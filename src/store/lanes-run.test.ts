import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { CHAT, closing, laneLab, mail, OTHER, OUT } from "../../test/engine/lane-lab.ts";
import { laneId } from "../kernel/ids.ts";
import type { Effects } from "./effects.ts";
import { parseMailLine } from "./mail.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

/** Says one thing, notes two and tells one. */
const effects: Effects = {
  put: [{ lane: OUT, mail: mail("hello") }],
  records: [
    { key: "m:ada m1", value: "+answered", ttlMs: 5_000 },
    { key: "r:ada m1", value: "the answer", ttlMs: 5_000, append: true },
  ],
  announce: [{ channel: "parley:live:lanes-run", payload: "told" }],
};

/** What `effects` left behind, once. */
const effectsOnce = {
  "{p0}q:out/ada": ['>-hello  "hello"'],
  "{p0}m:ada m1": "+answered",
  "{p0}r:ada m1": ["the answer"],
};

describe("a run's journal", () => {
  test("takes lines in order while the run is held", async () => {
    const { lane, token } = await lab.begin();
    expect(await lanes.append(lane, token, "=1")).toBe(true);
    expect(await lanes.commit(lane, token, "=2", {})).toBe(true);
    expect((await lanes.readJournal(lane, token)).slice(1)).toEqual(["=1", "=2"]);
  });

  test("takes a step together with what it says, notes and tells", async () => {
    const told = await listen("parley:live:lanes-run");
    const { lane, token } = await lab.begin();
    await lanes.commit(lane, token, "=1", effects);
    expect(await lab.snapshot()).toMatchObject(effectsOnce);
    expect(await lanes.look(OUT)).toEqual({ kind: "ready" });
    expect(await redis.pttl("{p0}m:ada m1")).toBeGreaterThan(4_000);
    expect(await redis.pttl("{p0}r:ada m1")).toBeGreaterThan(4_000);
    expect(await told.next()).toBe("told");
  });

  test("keeps at most 1,000 of what is appended to one record", async () => {
    const { lane, token } = await lab.begin();
    for (let index = 0; index < 1_005; index++)
      await lanes.commit(lane, token, `=${index}`, {
        records: [{ key: "dead", value: `${index}`, ttlMs: 5_000, append: true }],
      });
    const kept = await redis.lrange("{p0}dead", 0, -1);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_000, "5", "1004"]);
  });

  test.each([
    ["a lifetime of nothing", { records: [{ key: "k", value: "v", ttlMs: 0 }] }],
    ["a fraction of a millisecond", { records: [{ key: "k", value: "v", ttlMs: 1.5 }] }],
    ["no number", { records: [{ key: "k", value: "v", ttlMs: Number.NaN }] }],
  ])("refuses effects with %s before anything is written", async (_what, wrong) => {
    const { lane, token } = await lab.begin();
    const before = await lab.snapshot();
    await expect(lanes.commit(lane, token, "=1", { ...effects, ...wrong })).rejects.toThrow(/record k .* lifetime/);
    expect(await lab.snapshot()).toEqual(before);
  });
});

describe("lanes that keep journals only briefly", async () => {
  const brief = await laneLab({ limits: { keepMs: 5_000 } });

  test("give every one its end when it is looked at, and a new one when it is used again", async () => {
    for (const id of ["m1", "m2"]) {
      await brief.end(await brief.begin(id));
      const lines = await brief.lanes.readJournal(CHAT);
      expect(await brief.lanes.compact(CHAT, { length: lines.length, last: lines.at(-1) ?? "" }, 0)).toBe(true);
      expect(await brief.redis.pttl("{p0}c:chat/ada")).toBeGreaterThan(4_000);
      expect(await brief.lanes.readJournal(CHAT)).toEqual(lines);
      await brief.redis.pexpire("{p0}c:chat/ada", 1_000);
    }
  });
});

describe("effects for another partition", async () => {
  const spread = await laneLab({ partitions: 2 });

  test("are refused before anything is written", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const here = names.find((name) => spread.lanes.partitionOf(laneId("chat", name)) === 0) ?? "";
    const there = names.find((name) => spread.lanes.partitionOf(laneId("chat", name)) === 1) ?? "";
    await spread.register("w");
    await spread.lanes.admit(laneId("chat", here), mail("a"));
    const [claim] = await spread.take();
    if (claim === undefined) throw new Error("a lane was ready");
    const before = await spread.snapshot();
    const misplaced = { put: [{ lane: laneId("out", there), mail: mail("b") }] };
    await expect(spread.lanes.commit(claim.lane, claim.token, "=", misplaced)).rejects.toThrow(/another partition/);
    expect(await spread.snapshot()).toEqual(before);
  });
});

describe("a run is finished", () => {
  interface Case {
    readonly given: string;
    readonly arrange?: () => Promise<unknown>;
    readonly finish?: { readonly nextToken?: string; readonly journal?: "keep" | "drop" };
    readonly reply: { readonly lost: boolean; readonly next?: unknown };
    readonly state: string;
    readonly rings?: number;
  }
  const cases: readonly Case[] = [
    { given: "nothing waiting", reply: { lost: false }, state: "idle", rings: 0 },
    {
      given: "a message waiting and a worker that takes no more",
      arrange: () => lanes.admit(CHAT, mail("m2")),
      reply: { lost: false },
      state: "ready",
      rings: 1,
    },
    {
      given: "a message waiting and a worker that goes on",
      arrange: () => lanes.admit(CHAT, mail("m2")),
      finish: { nextToken: "w.9000" },
      reply: {
        lost: false,
        next: {
          lane: CHAT,
          token: "w.9000",
          runId: expect.stringMatching(/^id/),
          attempt: 1,
          resumed: false,
          linesBefore: 2,
        },
      },
      state: "run",
      rings: 0,
    },
    {
      given: "another lane that became ready before",
      arrange: async () => {
        await lanes.admit(OTHER, mail("m2"));
        await lanes.admit(CHAT, mail("m3"));
      },
      finish: { nextToken: "w.9000" },
      reply: { lost: false, next: { lane: OTHER, token: "w.9000" } },
      state: "ready",
      rings: 1,
    },
    {
      given: "a lane of another kind ready",
      arrange: () => lanes.admit(OUT, mail("m2")),
      finish: { nextToken: "w.9000" },
      reply: { lost: false },
      state: "idle",
      rings: 0,
    },
    {
      given: "stale entries in line",
      arrange: async () => {
        await redis.rpush("{p0}ready:chat", CHAT, "chat/nobody");
        await lanes.admit(OTHER, mail("m2"));
      },
      finish: { nextToken: "w.9000" },
      reply: { lost: false, next: { lane: OTHER } },
      state: "idle",
    },
    {
      given: "a worker that is no longer registered",
      arrange: async () => {
        await lanes.admit(CHAT, mail("m2"));
        await redis.zrem("{p0}workers", "w");
      },
      finish: { nextToken: "w.9000" },
      reply: { lost: false },
      state: "ready",
      rings: 1,
    },
    {
      given: "a lane that forgets its journal",
      finish: { journal: "drop" },
      reply: { lost: false },
      state: "idle",
    },
  ];

  test.each(cases)("finish: $given -> lane is $state", async ({ arrange, finish, reply, state, rings }) => {
    const claim = await lab.begin();
    await arrange?.();
    const outcome = await lab.end(claim, finish);
    expect(outcome).toMatchObject(reply);
    expect(outcome.next === undefined).toBe(reply.next === undefined);
    expect((await lanes.look(CHAT)).kind).toBe(state);
    if (rings !== undefined) expect(await redis.llen("{p0}bell:chat")).toBe(rings);
    expect([...(await lanes.held(0, "w")).keys()]).toEqual(outcome.next === undefined ? [] : ["w.9000"]);
  });

  test("and its journal stays, noted among those that get an end soon", async () => {
    const claim = await lab.begin();
    await lab.end(claim);
    expect(await lanes.readJournal(CHAT)).toEqual([...claim.opening, closing(claim.runId)]);
    expect(await lanes.coldLanes(0, Date.now() + 60_000, 10)).toEqual([CHAT]);
  });

  test("and a dropped journal leaves nothing but the record of the message", async () => {
    await lab.end(await lab.begin("old"));
    await lab.end(await lab.begin("m1"), { journal: "drop" });
    await lanes.reap(0, "w", 0);
    await redis.del("{p0}bell:chat");
    expect(Object.keys(await lab.snapshot()).sort()).toEqual(["{p0}m:ada m1", "{p0}m:ada old"]);
  });

  test("together with all its lines and effects", async () => {
    const { lane, token } = await lab.begin();
    await lanes.finish({ lane, token, journal: "keep", lines: ["=1", ".2"], effects });
    expect(await lab.snapshot()).toMatchObject(effectsOnce);
    expect((await lanes.readJournal(CHAT)).slice(1)).toEqual(["=1", ".2"]);
  });

  test("after it has put a message in its own lane, which then goes on with it", async () => {
    const { lane, token } = await lab.begin();
    const put = { put: [{ lane: CHAT, mail: mail("to-itself") }] };
    await lanes.finish({ lane, token, journal: "keep", lines: ["."], effects: put });
    expect((await lanes.look(CHAT)).kind).toBe("ready");
    expect(await lab.take()).toMatchObject([{ lane: CHAT }]);
  });
});

describe("a run absorbs messages for steering", () => {
  interface Case {
    readonly given: string;
    readonly waiting: readonly (readonly [string, "alone" | "together" | "steer"])[];
    readonly joined: readonly string[];
    readonly left: readonly string[];
  }
  const cases: readonly Case[] = [
    { given: "nothing waiting", waiting: [], joined: [], left: [] },
    { given: "one", waiting: [["a", "steer"]], joined: ["a"], left: [] },
    {
      given: "two",
      waiting: [
        ["a", "steer"],
        ["b", "steer"],
      ],
      joined: ["a", "b"],
      left: [],
    },
    {
      given: "one behind a message that stays alone",
      waiting: [
        ["a", "alone"],
        ["b", "steer"],
      ],
      joined: [],
      left: ["a", "b"],
    },
    {
      given: "one before a message that goes together",
      waiting: [
        ["a", "steer"],
        ["b", "together"],
      ],
      joined: ["a"],
      left: ["b"],
    },
  ];

  test.each(cases)("absorb: $given -> $joined", async ({ waiting, joined, left }) => {
    const { lane, token } = await lab.begin();
    for (const [id, mode] of waiting) await lanes.admit(CHAT, mail(id, mode));
    const lines = await lanes.absorb(lane, token, 1);
    expect(lines?.map((line) => parseMailLine(line)?.mail.id)).toEqual(joined);
    expect(await lanes.readJournal(lane, token)).toHaveLength(1 + joined.length);
    expect((await lanes.waiting(CHAT)).map(({ id }) => id)).toEqual(left);
  });

  test("and its worker is told that one came", async () => {
    const told = await listen("parley:worker:lanes-run");
    const { token } = await lab.begin("m1", "lanes-run");
    await lanes.admit(CHAT, mail("a", "steer"));
    expect(await told.next()).toBe(`mail ${token}`);
  });
});

describe("a message of a lane is changed from outside while it waits", () => {
  test("and keeps its place and its mode", async () => {
    await lab.begin();
    for (const id of ["a", "b"]) await lanes.admit(CHAT, mail(id, "steer"));
    const edited = { ...mail("a"), body: '"new"' };
    expect(await lanes.edit(CHAT, edited)).toBe("changed");
    expect(await lanes.waiting(CHAT)).toEqual([{ ...edited, mode: "steer" }, mail("b", "steer")]);
  });

  test("or withdrawn, and then it is neither read nor accepted again", async () => {
    await lab.begin();
    await lanes.admit(CHAT, mail("a"));
    expect(await lanes.withdraw(CHAT, mail("a").id)).toBe("withdrawn");
    expect(await lanes.waiting(CHAT)).toEqual([]);
    expect(await lanes.edit(CHAT, mail("a"))).toBe("taken");
    expect(await lanes.record(CHAT, mail("a").id)).toBe("withdrawn");
    expect(await lanes.admit(CHAT, mail("a"))).toMatchObject({ status: "duplicate", earlier: "withdrawn" });
  });

  test.each([
    ["a run has it", () => lab.begin("a"), "taken"],
    ["a run had it", async () => lab.end(await lab.begin("a")), "taken"],
    ["it never came", async () => {}, "unknown"],
  ])("but not when %s", async (_given, arrange, reply) => {
    await arrange();
    const before = await lab.snapshot();
    expect(await lanes.edit(CHAT, mail("a"))).toBe(reply);
    expect(await lanes.withdraw(CHAT, mail("a").id)).toBe(reply);
    expect(await lab.snapshot()).toEqual(before);
  });

  test("and one whose id begins like another's is not taken for it", async () => {
    await lab.begin();
    for (const id of ["a1", "a"]) await lanes.admit(CHAT, mail(id));
    await lanes.withdraw(CHAT, mail("a").id);
    expect((await lanes.waiting(CHAT)).map(({ id }) => id)).toEqual(["a1"]);
  });
});

describe("an idle lane's journal is compacted", () => {
  const archive = Buffer.from([1, 0, 255, 10, 13]);

  async function history() {
    for (const id of ["a", "b"]) await lab.end(await lab.begin(id));
    const lines = await lanes.readJournal(CHAT);
    return { lines, read: { length: lines.length, last: lines.at(-1) ?? "" } };
  }

  test("into bytes that are read back as they were", async () => {
    const { lines, read } = await history();
    expect(await lanes.compact(CHAT, read, 3, archive)).toBe(true);
    expect(await lanes.readJournal(CHAT)).toEqual(lines.slice(3));
    expect(await lanes.readArchive(CHAT)).toEqual(archive);
    for (const key of ["{p0}a:chat/ada", "{p0}c:chat/ada"])
      expect(await redis.pttl(key)).toBeGreaterThan(lanes.limits.keepMs - 60_000);
    expect(await lanes.coldLanes(0, Date.now() + 60_000, 10)).toEqual([]);
    expect(await lanes.restingLanes(0, Date.now() + 60_000, 10)).toEqual([CHAT]);
  });

  test("and its archive is replaced by a smaller one later", async () => {
    const { read } = await history();
    await lanes.compact(CHAT, read, 3, archive);
    const lines = await lanes.readJournal(CHAT);
    const now = { length: lines.length, last: lines.at(-1) ?? "" };
    expect(await lanes.repack(CHAT, now, Buffer.from("smaller"))).toBe(true);
    expect(await lanes.readArchive(CHAT)).toEqual(Buffer.from("smaller"));
    expect(await redis.pttl("{p0}a:chat/ada")).toBeGreaterThan(lanes.limits.keepMs - 60_000);
    expect(await lanes.restingLanes(0, Date.now() + 60_000, 10)).toEqual([]);
  });

  test.each([
    { given: "it was used since it was read", act: async () => void (await lab.end(await lab.begin("c"))) },
    { given: "a run goes on in it", act: async () => void (await lab.begin("c")) },
  ])("and its archive stays as it is when $given", async ({ act }) => {
    const { read } = await history();
    await lanes.compact(CHAT, read, 3, archive);
    const lines = await lanes.readJournal(CHAT);
    await act();
    expect(await lanes.repack(CHAT, { length: lines.length, last: lines.at(-1) ?? "" }, Buffer.from("x"))).toBe(false);
    expect(await lanes.readArchive(CHAT)).toEqual(archive);
  });

  test("unless it was used since it was read", async () => {
    const { read } = await history();
    await lab.end(await lab.begin("c"));
    const before = await lab.snapshot();
    expect(await lanes.compact(CHAT, read, 3, archive)).toBe(false);
    expect(await lab.snapshot()).toEqual(before);
  });

  test("unless a run waits in it, and then it is left in peace until that has ended", async () => {
    await history();
    const { lane, token } = await lab.begin("c");
    await lanes.park({ lane, token, key: "k", mail: false, failed: false, lines: [] });
    const lines = await lanes.readJournal(CHAT);
    expect(await lanes.compact(CHAT, { length: lines.length, last: lines.at(-1) ?? "" }, 1, archive)).toBe(false);
    expect(await lanes.readJournal(CHAT)).toEqual(lines);
    expect(await lanes.coldLanes(0, Date.now() + 60_000, 10)).toEqual([]);
    await lanes.wake(CHAT, "k", "~");
    const [claim] = await lab.take();
    if (claim !== undefined) await lab.end(claim);
    expect(await lanes.coldLanes(0, Date.now() + 60_000, 10)).toEqual([CHAT]);
  });
});

/** What is published on a channel from now on; `next` gives the messages one by one. */
async function listen(channel: string): Promise<{ next(): Promise<string> }> {
  const subscriber = new Redis(lab.where);
  onTestFinished(() => subscriber.disconnect());
  await subscriber.subscribe(channel);
  const { promise, resolve } = Promise.withResolvers<string>();
  subscriber.on("message", (_channel, message: string) => resolve(message));
  return { next: () => promise };
}
