import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import type { LiveEvent } from "../../src/kernel/live.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, say } from "./model-server.ts";

const paid: string[] = [];
const lab = await openLab({
  database: await testRedis(),
  settings: "approvals: { expire_s: 1 }",
  tools: [
    defineTool({
      name: "pay",
      description: "Pays.",
      effect: "once",
      approval: "ask",
      input: z.object({ what: z.string() }),
      run: ({ what }) => void paid.push(what),
    }),
  ],
});
afterAll(() => lab.close());

const pay = (what: string) => ({ name: "pay", args: { what } });
type Decided = Extract<LiveEvent, { type: "approval.decided" }>;

test("a call nobody approves in time is not made: the model reads so, and a late click changes nothing", async () => {
  const chat = lab.conversation();
  lab.model.when("wait for me", call(pay("late-1"), pay("late-2")), say("Nobody came."));
  const first = await lab.send(chat, "wait for me");
  const { approval } = await lab.delivery(chat, "approval");
  expect((await lab.answerTo(chat, first.id)).text).toBe("Nobody came.");
  const results = lab.model.request("wait for me", 2).messages.filter(({ role }) => role === "tool");
  for (const { content } of results) expect(content).toContain("Nobody approved this call in time");
  const decided = lab.events(chat).filter((event): event is Decided => event.type === "approval.decided");
  expect(decided.map(({ state, by }) => ({ state, by }))).toEqual([{ state: "expired" }, { state: "expired" }]);
  const click = await lab.send(chat, `/approve ${approval?.id}`);
  expect((await lab.answerTo(chat, click.id)).text).toBe(
    "Too late: pay is expired: nobody decided in time. Nothing was changed.",
  );
  expect(paid).toEqual([]);
});

test("its time passes while no process lives, and the next one finds it expired", async () => {
  const chat = lab.conversation();
  lab.model.when("wait in the dark", call(pay("dark")), say("It was too late."));
  const first = await lab.send(chat, "wait in the dark");
  const { approval } = await lab.delivery(chat, "approval");
  await lab.runtime().worker.drain(0);
  const by = { name: "user-1", admin: false };
  const state = async () => (await lab.runtime().door.approval(approval?.id ?? ""))?.state;
  await expect.poll(state, { timeout: 10_000 }).toBe("expired");
  const request = { id: approval?.id ?? "", verdict: "approve", by, operation: "late" } as const;
  expect(await lab.runtime().door.decideApproval(request)).toMatchObject({
    outcome: "decided",
    approval: { state: "expired" },
  });
  await lab.restart();
  expect((await lab.answerTo(chat, first.id)).text).toBe("It was too late.");
  expect(paid).toEqual([]);
});
