import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OTHER } from "../../test/engine/lane-lab.ts";
import { laneId } from "../kernel/ids.ts";
import { parseMailLine } from "./mail.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

interface Case {
  readonly given: string;
  readonly arrange: () => Promise<unknown>;
  readonly capacity?: Readonly<Record<string, number>>;
  /** `lane: what opened or resumed it`, in order. */
  readonly claims: readonly string[];
}

const cases: readonly Case[] = [
  { given: "nothing ready", arrange: async () => {}, claims: [] },
  { given: "one message", arrange: () => lanes.admit(CHAT, mail("a")), claims: ['chat/ada: new ["a"] after 0'] },
  {
    given: "several messages that stay alone",
    arrange: () => admitAll(mail("a"), mail("b")),
    claims: ['chat/ada: new ["a"] after 0'],
  },
  {
    given: "messages that go together, then one that does not",
    arrange: () => admitAll(mail("a", "together"), mail("b", "together"), mail("c"), mail("d", "together")),
    claims: ['chat/ada: new ["a","b"] after 0'],
  },
  {
    given: "a message that stays alone before some that go together",
    arrange: () => admitAll(mail("a"), mail("b", "together"), mail("c", "together")),
    claims: ['chat/ada: new ["a"] after 0'],
  },
  {
    given: "messages for steering, with no run yet",
    arrange: () => admitAll(mail("a", "steer"), mail("b", "steer")),
    claims: ['chat/ada: new ["a"] after 0'],
  },
  {
    given: "two lanes, in the order in which they became ready",
    arrange: async () => {
      await lanes.admit(OTHER, mail("b"));
      await lanes.admit(CHAT, mail("a"));
    },
    claims: ['chat/bob: new ["b"] after 0', 'chat/ada: new ["a"] after 0'],
  },
  {
    given: "more lanes than there is room for",
    arrange: async () => {
      for (const name of ["1", "2", "3"]) await lanes.admit(laneId("chat", name), mail("a"));
    },
    capacity: { chat: 2 },
    claims: ['chat/1: new ["a"] after 0', 'chat/2: new ["a"] after 0'],
  },
  {
    given: "another kind of lane than there is room for",
    arrange: () => lanes.admit(laneId("out", "ada"), mail("a")),
    capacity: { chat: 5, out: 0 },
    claims: [],
  },
  {
    given: "a lane with history",
    arrange: async () => {
      await lab.end(await lab.begin("old"));
      await lanes.admit(CHAT, mail("a"));
    },
    claims: ['chat/ada: new ["a"] after 2'],
  },
  {
    given: "a lane all of whose messages were withdrawn",
    arrange: async () => {
      await lanes.admit(CHAT, mail("a"));
      await lanes.withdraw(CHAT, mail("a").id);
      await lanes.admit(OTHER, mail("b"));
    },
    capacity: { chat: 1 },
    claims: ['chat/bob: new ["b"] after 0'],
  },
  {
    given: "a run that was handed over",
    arrange: async () => {
      const { lane, token } = await lab.begin("a");
      await lanes.append(lane, token, '={"s":"one"}');
      await lanes.park({ lane, token, waitMs: 0, mail: false, failed: false, lines: [] });
    },
    claims: ["chat/ada: resume after 2"],
  },
  {
    given: "a stale entry in line for a lane that is running",
    arrange: async () => {
      await lab.begin("a");
      await redis.rpush("{p0}ready:chat", CHAT);
    },
    claims: [],
  },
  {
    given: "a stale entry in line for a lane that is idle",
    arrange: () => redis.rpush("{p0}ready:chat", CHAT),
    claims: [],
  },
  {
    given: "a stale entry in line for a lane whose run waits",
    arrange: async () => {
      const { lane, token } = await lab.begin("a");
      await lanes.park({ lane, token, key: "k", mail: false, failed: false, lines: [] });
      await redis.rpush("{p0}ready:chat", CHAT);
    },
    claims: [],
  },
  {
    given: "a lane that is in line twice",
    arrange: async () => {
      await admitAll(mail("a"), mail("b"));
      await redis.rpush("{p0}ready:chat", CHAT);
    },
    claims: ['chat/ada: new ["a"] after 0'],
  },
  {
    given: "a run to resume whose journal was erased by hand, and a message behind it",
    arrange: async () => {
      const { lane, token } = await lab.begin("a");
      await lanes.admit(CHAT, mail("b"));
      await lanes.park({ lane, token, waitMs: 0, mail: false, failed: false, lines: [] });
      await redis.del("{p0}c:chat/ada");
    },
    claims: ['chat/ada: new ["b"] after 0'],
  },
];

async function admitAll(...mails: ReturnType<typeof mail>[]): Promise<void> {
  for (const each of mails) await lanes.admit(CHAT, each);
}

describe("ready lanes are claimed", () => {
  test.each(cases)("claim: $given -> $claims", async ({ arrange, capacity, claims }) => {
    await lab.register("w");
    await arrange();
    const got = await lab.take("w", capacity);
    expect(
      got.map(({ lane, resumed, linesBefore, opening }) =>
        resumed
          ? `${lane}: resume after ${linesBefore}`
          : `${lane}: new ${JSON.stringify(opening.map((line) => parseMailLine(line)?.mail.id))} after ${linesBefore}`,
      ),
    ).toEqual(claims);
    for (const { lane, token, runId } of got) {
      expect(await lanes.look(lane)).toMatchObject({ kind: "run", token, runId });
      expect((await lanes.held(0, "w")).get(token)).toBe(lane);
    }
  });

  test("only for a registered worker, and nothing leaves the line for any other", async () => {
    await lanes.admit(CHAT, mail("a"));
    expect(await lanes.claim(0, "stranger", 0, { kind: "chat", room: 1 })).toBe("gone");
    expect(await redis.lrange("{p0}ready:chat", 0, -1)).toEqual([CHAT]);
    expect((await lanes.waiting(CHAT)).length).toBe(1);
  });

  test("with the history's length and last line, so that a worker that knows it need not read it", async () => {
    await lab.end(await lab.begin("old"));
    const before = await lanes.readJournal(CHAT);
    await lanes.admit(CHAT, mail("a"));
    const [claim] = await lab.take();
    expect(claim).toMatchObject({ linesBefore: before.length, lastBefore: before.at(-1) });
  });

  test("and the bell that announced them is silenced when nothing is left", async () => {
    await lab.register("w");
    for (const name of ["1", "2", "3"]) await lanes.admit(laneId("chat", name), mail("a"));
    expect(await redis.llen("{p0}bell:chat")).toBe(1);
    await lab.take("w", { chat: 1 });
    expect(await redis.llen("{p0}bell:chat")).toBe(1);
    await lab.take();
    expect(await redis.llen("{p0}bell:chat")).toBe(0);
  });

  test.each([0, 1])("and whoever was woken and has room for %i wakes the next one for what is left", async (room) => {
    await lab.register("w");
    await lanes.admit(CHAT, mail("a"));
    await lanes.admit(OTHER, mail("b"));
    await redis.lpop("{p0}bell:chat");
    expect(await lab.take("w", { chat: room })).toHaveLength(room);
    expect(await redis.llen("{p0}bell:chat")).toBe(1);
  });

  test("and a kind is announced to those who run it only", async () => {
    await lanes.admit(laneId("out", "ada"), mail("a"));
    expect(await redis.llen("{p0}bell:chat")).toBe(0);
    expect(await redis.llen("{p0}bell:out")).toBe(1);
  });

  test("and the bell holds one ring, however many lanes are in line", async () => {
    for (let index = 0; index < 80; index++) await lanes.admit(laneId("chat", `c${index}`), mail("a"));
    expect(await redis.llen("{p0}bell:chat")).toBe(1);
    await lab.register("w");
    expect(await lab.take("w", { chat: 100 })).toHaveLength(80);
  });
});

describe("a claim that is sent twice", () => {
  test("hands out the same runs and nothing more", async () => {
    await lab.register("w");
    for (const name of ["1", "2", "3"]) await lanes.admit(laneId("chat", name), mail("a"));
    const first = await lanes.claim(0, "w", 7, { kind: "chat", room: 2 });
    const again = await lanes.claim(0, "w", 7, { kind: "chat", room: 2 });
    if (first === "gone" || again === "gone") throw new Error("the worker is registered");
    expect(again.map(({ lane, token, runId }) => ({ lane, token, runId }))).toEqual(
      first.map(({ lane, token, runId }) => ({ lane, token, runId })),
    );
    expect(await redis.lrange("{p0}ready:chat", 0, -1)).toEqual(["chat/3"]);
  });

  test("hands out what is left of it when its first run was cancelled in between", async () => {
    await lab.register("w");
    for (const name of ["1", "2", "3"]) await lanes.admit(laneId("chat", name), mail("a"));
    const first = await lanes.claim(0, "w", 7, { kind: "chat", room: 2 });
    if (first === "gone") throw new Error("the worker is registered");
    const [one, two] = first;
    if (one === undefined || two === undefined) throw new Error("two lanes were ready");
    await lanes.cancel({ lane: one.lane, runId: one.runId, linesRead: 1, line: ".", effects: {} });
    const again = await lanes.claim(0, "w", 7, { kind: "chat", room: 2 });
    expect(again).toMatchObject([{ lane: two.lane, token: two.token }]);
    expect(await lanes.held(0, "w")).toEqual(new Map([[two.token, two.lane]]));
    expect((await lanes.look(laneId("chat", "3"))).kind).toBe("ready");
  });

  test("never gives the token of a run that is over to another run", async () => {
    await lab.register("w");
    await lanes.admit(CHAT, mail("a"));
    const first = await lanes.claim(0, "w", 7, { kind: "chat", room: 1 });
    if (first === "gone" || first[0] === undefined) throw new Error("a lane was ready");
    await lanes.cancel({ lane: CHAT, runId: first[0].runId, linesRead: 1, line: ".", effects: {} });
    await lanes.admit(CHAT, mail("b"));
    expect(await lanes.claim(0, "w", 7, { kind: "chat", room: 1 })).toEqual([]);
    expect(await lanes.claim(0, "w", 8, { kind: "chat", room: 1 })).toMatchObject([{ token: "w.8", resumed: false }]);
  });

  test("finds nothing when the worker was reaped in between", async () => {
    await lab.register("w", "x");
    await lanes.admit(CHAT, mail("a"));
    const first = await lanes.claim(0, "w", 7, { kind: "chat", room: 1 });
    if (first === "gone" || first[0] === undefined) throw new Error("a lane was ready");
    await lanes.reap(0, "w", 0);
    expect(await lanes.claim(0, "w", 7, { kind: "chat", room: 1 })).toBe("gone");
    expect(await lab.take("x")).toMatchObject([{ lane: CHAT, runId: first[0].runId, resumed: true }]);
  });
});
