import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import {
  createBudgetStore,
  NOTHING,
  type Amount,
  type BudgetLine,
  type BudgetSlot,
  type BudgetStore,
} from "./budgets.ts";

let redis: Redis;
let store: BudgetStore;

beforeAll(async () => {
  redis = new Redis(await testRedis());
  store = createBudgetStore(redis);
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const OWN: BudgetSlot = { workspaceId: parseWorkspaceId("ada") };
const LINE: BudgetLine = { name: "person:day", period: "2026-11-21", limits: { money: 100 }, keepMs: 60_000 };
const MONTH: BudgetLine = { name: "person:month", period: "2026-11", limits: {}, keepMs: 60_000 };
const money = (amount: number): Amount => ({ tokens: 10 * amount, money: amount, steps: 1 });
const NOT_LONG_AGO = 1;

interface Asked {
  readonly id?: string;
  readonly nonce?: string;
  readonly turn?: string;
  readonly amount?: number;
  readonly lines?: readonly BudgetLine[];
  readonly shared?: boolean;
}
const reserve = (
  slot: BudgetSlot,
  { id = "r:1", nonce = "n1", turn, amount = 40, lines = [LINE], shared = false }: Asked = {},
) =>
  store.reserve(slot, {
    id,
    nonce,
    shared,
    estimate: money(amount),
    holdMs: 60_000,
    lines,
    ...(turn === undefined ? {} : { turn }),
  });
/** Reserves in the person's slot and gives the attempt that it began. */
async function begin(asked: Asked = {}) {
  const reply = await reserve(OWN, asked);
  if (reply.kind !== "reserved") throw new Error(`${reply.kind} instead of reserved`);
  return { id: asked.id ?? "r:1", nonce: asked.nonce ?? "n1", turn: reply.turn };
}
/** Money spent and held in the line. */
async function counts(slot: BudgetSlot = OWN, line: BudgetLine = LINE): Promise<readonly [number, number]> {
  const [read] = await store.read(slot, [line]);
  return [read?.spent.money ?? -1, read?.held.money ?? -1];
}
const expire = (key = "{ws:ada}:budget:holds", record = "{ws:ada}:budget:hold:r:1") =>
  redis.zadd(key, NOT_LONG_AGO, record);

describe("budget-reserve in the person's slot", () => {
  test.each<{
    given: string;
    when?: () => Promise<unknown>;
    asked?: Asked;
    reply: object;
    after: readonly [number, number];
  }>([
    { given: "nothing spent", reply: { kind: "reserved", near: [] }, after: [0, 40] },
    { given: "exactly what is left", asked: { amount: 100 }, reply: { kind: "reserved" }, after: [0, 100] },
    {
      given: "one more than is left",
      asked: { amount: 101 },
      reply: { kind: "refused", over: [{ index: 0, metric: "money", used: 0, limit: 100 }] },
      after: [0, 0],
    },
    {
      given: "too much held by another step",
      when: () => reserve(OWN, { id: "r:2", amount: 61 }),
      reply: { kind: "refused", over: [{ index: 0, metric: "money", used: 61, limit: 100 }] },
      after: [0, 61],
    },
    {
      given: "too much spent",
      when: async () => store.close(OWN, await begin({ id: "r:2", amount: 61 }), money(61)),
      reply: { kind: "refused", over: [{ used: 61 }] },
      after: [61, 0],
    },
    {
      given: "one of two budgets too small",
      asked: { lines: [LINE, { ...MONTH, limits: { tokens: 399, steps: 0 } }] },
      reply: {
        kind: "refused",
        over: [
          { index: 1, metric: "tokens", used: 0, limit: 399 },
          { index: 1, metric: "steps", used: 0, limit: 0 },
        ],
      },
      after: [0, 0],
    },
    {
      given: "the same command, sent again",
      when: () => reserve(OWN),
      reply: { kind: "reserved", near: [] },
      after: [0, 40],
    },
    {
      given: "an attempt that was not ended",
      when: () => reserve(OWN, { nonce: "n0", shared: true }),
      reply: { kind: "earlier", attempt: { id: "r:1", nonce: "n0" }, shared: true },
      after: [0, 40],
    },
    {
      given: "an attempt that was ended",
      when: async () => store.close(OWN, await begin({ nonce: "n0" }), money(7)),
      reply: { kind: "reserved" },
      after: [7, 40],
    },
    {
      given: "the same attempt, ended meanwhile",
      when: async () => store.close(OWN, await begin(), money(7)),
      reply: { kind: "lost" },
      after: [7, 0],
    },
    {
      given: "an attempt that was not ended until its deadline",
      when: async () => {
        await reserve(OWN, { nonce: "n0" });
        await expire();
      },
      reply: { kind: "earlier", attempt: { nonce: "n0" } },
      after: [0, 0],
    },
    {
      given: "another step that was not ended until its deadline",
      when: async () => {
        await reserve(OWN, { id: "r:2", amount: 100 });
        await expire(undefined, "{ws:ada}:budget:hold:r:2");
      },
      reply: { kind: "reserved" },
      after: [0, 40],
    },
    {
      given: "a limit that was lowered below what is spent",
      when: async () => store.close(OWN, await begin({ id: "r:2", amount: 90 }), money(90)),
      asked: { amount: 1, lines: [{ ...LINE, limits: { money: 50 } }] },
      reply: { kind: "refused", over: [{ used: 90, limit: 50 }] },
      after: [90, 0],
    },
  ])("$given -> $reply.kind", async ({ when, asked, reply, after }) => {
    await when?.();
    expect(await reserve(OWN, asked)).toMatchObject(reply);
    expect(await counts()).toEqual(after);
  });

  test("two people and two periods know nothing of each other", async () => {
    await begin({ amount: 100 });
    expect(await reserve({ workspaceId: parseWorkspaceId("bob") })).toMatchObject({ kind: "reserved" });
    expect(await reserve(OWN, { id: "r:2", lines: [{ ...LINE, period: "2026-11-22" }] })).toMatchObject({
      kind: "reserved",
    });
  });

  test("large amounts stay exact", async () => {
    const huge = 9_000_000_000_000_000;
    const lines = [{ ...LINE, limits: { money: huge } }];
    await store.close(OWN, await begin({ lines, amount: huge / 10 - 1 }), { ...NOTHING, money: huge - 1 });
    expect(await counts()).toEqual([huge - 1, 0]);
    const one = { id: "r:2", nonce: "n", shared: false, holdMs: 60_000, lines };
    expect(await store.reserve(OWN, { ...one, estimate: { ...NOTHING, money: 2 } })).toMatchObject({ kind: "refused" });
    expect(await store.reserve(OWN, { ...one, estimate: { ...NOTHING, money: 1 } })).toMatchObject({
      kind: "reserved",
    });
  });
});

describe("budget-reserve in the shared slot", () => {
  test.each<{
    given: string;
    when?: () => Promise<unknown>;
    asked?: Asked;
    kind: string;
    after: readonly [number, number];
  }>([
    { given: "nothing", kind: "reserved", after: [0, 40] },
    {
      given: "the same command, sent again",
      when: () => reserve("shared", { turn: "5" }),
      kind: "reserved",
      after: [0, 40],
    },
    {
      given: "an earlier attempt whose own part was erased",
      when: () => reserve("shared", { nonce: "n0", turn: "4", amount: 30 }),
      kind: "reserved",
      after: [30, 40],
    },
    {
      given: "an earlier attempt that was ended",
      when: async () => {
        await reserve("shared", { nonce: "n0", turn: "4" });
        await store.close("shared", { id: "r:1", nonce: "n0", turn: "4" }, money(7));
      },
      kind: "reserved",
      after: [7, 40],
    },
    {
      given: "a later attempt",
      when: () => reserve("shared", { nonce: "n2", turn: "6", amount: 3 }),
      kind: "lost",
      after: [0, 3],
    },
    {
      given: "that this attempt was called off",
      when: () => store.close("shared", { id: "r:1", nonce: "n1", turn: "5" }, "estimate"),
      kind: "lost",
      after: [0, 0],
    },
    {
      given: "not enough left",
      when: () => reserve("shared", { id: "r:2", turn: "1", amount: 61 }),
      kind: "refused",
      after: [0, 61],
    },
  ])("$given -> $kind", async ({ when, kind, after }) => {
    await when?.();
    expect(await reserve("shared", { turn: "5" })).toMatchObject({ kind });
    expect(await counts("shared")).toEqual(after);
  });
});

describe("budget-close", () => {
  test.each<{ given: string; with: Amount | "estimate"; reply: object; after: readonly [number, number] }>([
    { given: "less than was held", with: money(25), reply: { kind: "closed", amount: money(25) }, after: [25, 0] },
    { given: "more than was held", with: money(55), reply: { kind: "closed", amount: money(55) }, after: [55, 0] },
    { given: "nothing", with: NOTHING, reply: { kind: "closed", amount: NOTHING }, after: [0, 0] },
    { given: "the estimate", with: "estimate", reply: { kind: "closed", amount: money(40) }, after: [40, 0] },
  ])("with $given, once and sent again", async ({ with: actual, reply, after }) => {
    const attempt = await begin({ lines: [LINE, MONTH] });
    expect(await store.close(OWN, attempt, actual)).toMatchObject(reply);
    expect(await store.close(OWN, attempt, actual)).toMatchObject(reply);
    expect(await store.close(OWN, attempt, money(99))).toMatchObject(reply);
    expect(await counts()).toEqual(after);
    expect(await counts(OWN, MONTH)).toEqual(after);
  });

  test("of an attempt that came too late changes nothing", async () => {
    const late = await begin({ nonce: "n0" });
    await store.close(OWN, late, "estimate");
    const current = await begin({ nonce: "n1" });
    expect(await store.close(OWN, late, money(3))).toEqual({ kind: "lost" });
    expect(await counts()).toEqual([40, 40]);
    await store.close(OWN, current, money(5));
    expect(await counts()).toEqual([45, 0]);
  });

  test("of an attempt that was never here says so, and keeps it from coming", async () => {
    expect(await store.close("shared", { id: "r:1", nonce: "n1", turn: "5" }, "estimate")).toEqual({ kind: "none" });
    expect(await store.close("shared", { id: "r:1", nonce: "n1", turn: "5" }, "estimate")).toMatchObject({
      kind: "closed",
      amount: NOTHING,
    });
    expect(await reserve("shared", { turn: "5" })).toEqual({ kind: "lost" });
    expect(await counts("shared")).toEqual([0, 0]);
  });

  test("after the deadline counts what was spent and gives nothing back twice", async () => {
    const attempt = await begin();
    await expire();
    expect(await counts()).toEqual([0, 0]);
    expect(await store.close(OWN, attempt, money(30))).toMatchObject({ kind: "closed" });
    expect(await counts()).toEqual([30, 0]);
  });

  test("long after the period leaves no key without an end", async () => {
    const attempt = await begin();
    await redis.del("{ws:ada}:budget:person:day:2026-11-21");
    await store.close(OWN, attempt, money(30));
    expect(await redis.keys("*person*")).toEqual([]);
  });
});

describe("the 80 %", () => {
  const spend = async (id: string, amount: number, lines = [LINE]) => {
    const attempt = await begin({ id, amount, lines });
    const closed = await store.close(OWN, attempt, money(amount), lines);
    return closed.kind === "closed" ? closed.near : closed.kind;
  };
  const near = (used: number, metric = "money", limit = 100) => [{ index: 0, metric, used, limit }];

  test("are told of once in a period, when they are reached", async () => {
    expect(await spend("r:1", 79)).toEqual([]);
    expect(await spend("r:2", 1)).toEqual(near(80));
    expect(await spend("r:3", 5)).toEqual([]);
    expect(await spend("r:4", 15)).toEqual([]);
    expect(await spend("r:5", 90, [{ ...LINE, period: "2026-11-22" }])).toEqual(near(90));
  });

  test("are told of again to the step that may not have heard it", async () => {
    const attempt = await begin({ amount: 85 });
    expect(await store.close(OWN, attempt, money(85), [LINE])).toMatchObject({ near: near(85) });
    expect(await store.close(OWN, attempt, money(85), [LINE])).toMatchObject({ near: near(85) });
    expect(await reserve(OWN, { nonce: "n2", amount: 5 })).toMatchObject({ near: near(85) });
    expect(await reserve(OWN, { id: "r:2", amount: 5 })).toMatchObject({ near: [] });
  });

  test("are of the limit that is nearest, with extensions", async () => {
    await store.extend(OWN, LINE.name, { id: "x", add: { ...NOTHING, money: 900 }, endsAt: Date.now() + 60_000 });
    const line = { ...LINE, limits: { money: 100, tokens: 1000 } };
    expect(await spend("r:1", 90, [line])).toEqual(near(900, "tokens", 1000));
  });

  test("of nothing are never reached", async () => {
    expect(await spend("r:1", 0, [{ ...LINE, limits: { money: 0 } }])).toEqual([]);
  });
});

describe("budget-extend", () => {
  const extend = (id: string, add: number, endsAt = Date.now() + 60_000) =>
    store.extend(OWN, LINE.name, { id, add: money(add), endsAt });
  const reserved = async (amount: number) => (await reserve(OWN, { id: `r:${amount}`, amount })).kind;

  test("raises the limit, and one name counts once", async () => {
    await extend("x", 20);
    expect(await extend("x", 20)).toBe("extended");
    expect(await reserved(121)).toBe("refused");
    expect(await reserved(120)).toBe("reserved");
  });

  test("adds up over names", async () => {
    await extend("x", 20);
    await extend("y", 30);
    expect(await store.read(OWN, [LINE])).toMatchObject([{ extended: { money: 50, tokens: 500, steps: 2 } }]);
    expect(await reserved(150)).toBe("reserved");
  });

  test("is over when it ends", async () => {
    await extend("x", 20, Date.now() + 60_000);
    await redis.hset("{ws:ada}:budget:person:day:extended", "x", "0 20 0 1");
    expect(await reserved(101)).toBe("refused");
    await extend("y", 1);
    expect(await redis.hkeys("{ws:ada}:budget:person:day:extended")).toEqual(["y"]);
  });

  test("is kept until the last one ends", async () => {
    await extend("x", 1, Date.now() + 900_000);
    await extend("y", 1, Date.now() + 60_000);
    expect(await redis.pttl("{ws:ada}:budget:person:day:extended")).toBeGreaterThan(800_000);
  });

  test("is refused beyond a hundred", async () => {
    for (let n = 0; n < 100; n++) expect(await extend(`x${n}`, 1)).toBe("extended");
    expect(await extend("more", 1)).toBe("full");
    expect(await extend("x5", 2)).toBe("extended");
  });
});

describe("the keys", () => {
  test("of a person carry the person's tag, the others one of their own, and all have an end", async () => {
    const attempt = await begin({ shared: true });
    await reserve("shared", { turn: attempt.turn, lines: [{ ...LINE, name: "installation:day" }] });
    await store.extend(OWN, LINE.name, { id: "x", add: money(1), endsAt: Date.now() + 60_000 });
    const keys = (await redis.keys("*")).toSorted();
    expect(keys).toEqual([
      "{budget}:hold:r:1",
      "{budget}:holds",
      "{budget}:installation:day:2026-11-21",
      "{ws:ada}:budget:hold:r:1",
      "{ws:ada}:budget:holds",
      "{ws:ada}:budget:person:day:2026-11-21",
      "{ws:ada}:budget:person:day:extended",
    ]);
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    await store.close(OWN, attempt, money(1));
    expect(await redis.exists("{ws:ada}:budget:holds")).toBe(0);
    expect(await redis.pttl("{ws:ada}:budget:hold:r:1")).toBeLessThanOrEqual(86_400_000);
  });
});
