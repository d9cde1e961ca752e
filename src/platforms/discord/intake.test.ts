import { expect, test } from "vitest";
import { silentLog } from "../../kernel/ports.ts";
import { createIntake } from "./intake.ts";

function start() {
  const controller = new AbortController();
  const settled: string[] = [];
  const troubles: (string | undefined)[] = [];
  let overflows = 0;
  const intake = createIntake({
    log: silentLog,
    signal: controller.signal,
    onTrouble: (trouble) => troubles.push(trouble),
    onSettled: (floor) => Promise.resolve(void settled.push(floor)),
    onOverflow: () => overflows++,
  });
  return { controller, intake, settled, troubles, overflows: () => overflows };
}

test("the events of one channel are kept one after the other, those of another channel do not wait", async () => {
  const { intake } = start();
  const order: string[] = [];
  const { promise, resolve: release } = Promise.withResolvers<void>();
  intake.add("a", "1", async () => {
    await promise;
    order.push("a1");
  });
  intake.add("a", "2", () => Promise.resolve(void order.push("a2")));
  await new Promise<void>((resolve) => {
    intake.add("b", "3", () => Promise.resolve(resolve()));
  });
  expect(order).toEqual([]);
  release();
  await intake.settled();
  expect(order).toEqual(["a1", "a2"]);
});

test("an event is tried until it is kept, and the operator is told", async () => {
  const { intake, settled, troubles } = start();
  let tries = 0;
  intake.add("a", "1", () => (++tries < 3 ? Promise.reject(new Error("Redis is away")) : Promise.resolve()));
  await intake.settled();
  expect(tries).toBe(3);
  expect(settled).toEqual(["1"]);
  expect(troubles).toEqual(["Redis is away", "Redis is away", undefined]);
});

test("what is not settled holds back how far everything was read", async () => {
  const { intake } = start();
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const letGo = intake.hold("5");
  intake.add("a", "7", () => promise);
  expect(intake.lowest()).toBe("5");
  letGo();
  expect(intake.lowest()).toBe("7");
  release();
  await intake.settled();
  expect(intake.lowest()).toBeUndefined();
});

test("after the abort only what nobody can fetch later is still tried, once", async () => {
  const { controller, intake, settled } = start();
  controller.abort();
  const tried: string[] = [];
  intake.add("a", "1", () => Promise.resolve(void tried.push("message")));
  intake.add("b", "2", () => Promise.resolve(void tried.push("command")), { final: true });
  await intake.settled();
  expect(tried).toEqual(["command"]);
  expect(settled).toEqual([]);
  expect(intake.lowest()).toBe("1");
});

test("too much at once is told", async () => {
  const { controller, intake, overflows } = start();
  const { promise, resolve: release } = Promise.withResolvers<void>();
  for (let event = 1; event <= 20_001; event++) intake.add("a", String(event), () => promise);
  expect(overflows()).toBe(1);
  controller.abort();
  release();
  await intake.settled();
});
