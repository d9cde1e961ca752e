import { expect, test } from "vitest";
import { Redis } from "ioredis";
import { testRedis } from "../../test/setup/redis.ts";
import { parseConversationId, parseWorkspaceId } from "../kernel/ids.ts";
import { systemClock } from "../kernel/ports.ts";
import { createBudgets, type ReserveResult } from "./budgets.ts";
import { proposeExtension } from "./extension.ts";

const redisOptions = await testRedis();
const scope = { workspaceId: parseWorkspaceId("ada"), conversationId: parseConversationId("web:1") };

test.each([
  { used: 990, wanted: 20, limit: 1000, add: 250 },
  { used: 1000, wanted: 700, limit: 1000, add: 700 },
  { used: 0, wanted: 5000, limit: 1000, add: 4000 },
  { used: 0, wanted: 10, limit: 0, add: 10 },
])("$used of $limit used and $wanted wanted: $add more", ({ used, wanted, limit, add }) => {
  const budget = { of: "person", per: "day", metric: "tokens", used, limit, zone: "UTC" } as const;
  const refused = { kind: "refused", budget, wanted, resetsAt: undefined } as const;
  expect(proposeExtension(refused, scope)).toEqual({ scope, of: "person", per: "day", add: { tokens: add } });
});

test("a refused step goes on under its own id once it is allowed, and the sum stays right", async () => {
  const redis = new Redis(redisOptions);
  let ids = 0;
  const budgets = createBudgets({
    redis,
    config: () => ({ currency: "USD", zone: "UTC", limits: [{ of: "person", per: "month", tokens: 100 }] }),
    // Redis' own clock ends extensions, so a made-up time would be over already.
    clock: systemClock,
    newId: () => `n${(ids += 1)}`,
  });
  const reserve = (id: string) => budgets.reserve({ id, scope, estimate: { tokens: 60, money: 0, steps: 1 } });
  const spend = async (held: ReserveResult) => {
    if (held.kind !== "ok") throw new Error("refused");
    await budgets.settle(held.reservation, { tokens: 50, money: 0, steps: 1 });
  };
  await spend(await reserve("run:1"));
  const refused = await reserve("run:2");
  if (refused.kind !== "refused") throw new Error("not refused");
  const proposal = proposeExtension(refused, scope);
  // Pressed twice, it counts once.
  await budgets.extend({ id: "yes-1", ...proposal });
  await budgets.extend({ id: "yes-1", ...proposal });
  await spend(await reserve("run:2"));
  expect(await budgets.usage(scope)).toMatchObject([
    { per: "day", spent: { tokens: 100 } },
    { per: "month", spent: { tokens: 100 }, held: { tokens: 0 }, limits: { tokens: 125 } },
  ]);
  // What was allowed is all there is.
  expect((await reserve("run:3")).kind).toBe("refused");
  redis.disconnect();
});
