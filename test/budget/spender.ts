import { Redis } from "ioredis";
import { createBudgets } from "../../src/budget/budgets.ts";
import { parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";

// One run in a process of its own: spends until it is refused, then prints what it spent.
const [path = "", db = "", name = "", seed = "1", limit = ""] = process.argv.slice(2);
const redis = new Redis({ path, db: Number(db) });
let ids = 0;
const budgets = createBudgets({
  redis,
  config: () => ({
    currency: "USD",
    zone: "UTC",
    limits: [
      { of: "person", per: "day", money: Number(limit) },
      { of: "installation", per: "month", money: Number(limit) },
    ],
  }),
  clock: { now: () => Date.parse("2026-11-21T10:00:00Z") },
  newId: () => `${name}-${++ids}`,
});
const scope = { workspaceId: parseWorkspaceId("ada"), conversationId: parseConversationId(`web:${name}`) };

let state = Number(seed);
/** A number from 1 to `most`, the same ones in every run of the test. */
function next(most: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return 1 + (state % most);
}

await redis.ping();
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));

let spent = 0;
let calls = 0;
let refusals = 0;
while (refusals < 20) {
  const estimate = next(5000);
  const result = await budgets.reserve({
    id: `${name}:step${++calls}`,
    scope,
    estimate: { tokens: 1, money: estimate, steps: 1 },
  });
  if (result.kind === "refused") {
    refusals += 1;
    continue;
  }
  const actual = Math.min(estimate, next(5000));
  // The call itself: the others go on meanwhile.
  await redis.ping();
  await budgets.settle(result.reservation, { tokens: 1, money: actual, steps: 1 });
  spent += actual;
}
process.stdout.write(`${JSON.stringify({ spent, calls: calls - refusals })}\n`);
redis.disconnect();
process.stdin.destroy();
