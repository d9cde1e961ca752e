import { expect, test } from "vitest";
import { createRecordingAdapter } from "../../test/platforms/recording-adapter.ts";
import { OutsideError, type OutsideCode } from "../kernel/errors.ts";
import { parseConversationId, type DeliveryId } from "../kernel/ids.ts";
import { silentLog } from "../kernel/ports.ts";
import type { Part } from "../platforms/contract.ts";
import { withBulkhead } from "./bulkhead.ts";

const part: Part = {
  id: "run:step:0" as DeliveryId,
  conversationId: parseConversationId("slack:C1"),
  kind: "answer",
  text: "hi",
  buttons: [],
  answers: [],
};
const context = { repeatSince: undefined, draft: undefined, signal: new AbortController().signal };

function stage(send: () => Promise<{ postedId: string }>) {
  let now = 0;
  let tried = 0;
  const { adapter } = createRecordingAdapter({
    send: () => {
      tried += 1;
      return send();
    },
  });
  const guarded = withBulkhead(adapter, { clock: { now: () => now, monotonic: () => now }, log: silentLog });
  return {
    send: () => guarded.send(part, context),
    tried: () => tried,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const failing = (code: OutsideCode) => () => Promise.reject(new OutsideError("no", { code }));

test("a platform that does not answer is left alone for a while, then one send tries whether it is back", async () => {
  let send = failing("timeout");
  const { send: go, tried, pass } = stage(() => send());
  for (let times = 0; times < 5; times++) await expect(go()).rejects.toMatchObject({ code: "timeout" });
  const refused = await go().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "overloaded", retry: { kind: "after", ms: 15_000 } });
  expect(tried()).toBe(5);
  pass(15_001);
  await expect(go()).rejects.toMatchObject({ code: "timeout" });
  await expect(go()).rejects.toMatchObject({ code: "overloaded" });
  pass(15_001);
  send = () => Promise.resolve({ postedId: "1" }) as never;
  await go();
  await go();
  expect(tried()).toBe(8);
});

test("refusals are answers: they never close it", async () => {
  const { send, tried } = stage(failing("forbidden"));
  for (let times = 0; times < 20; times++) await expect(send()).rejects.toMatchObject({ code: "forbidden" });
  expect(tried()).toBe(20);
});

test("a platform that hangs holds so many sends and no more", async () => {
  const { send, tried } = stage(() => new Promise(() => {}));
  for (let times = 0; times < 64; times++) void send();
  await expect(send()).rejects.toMatchObject({ code: "overloaded", retry: { kind: "after", ms: 500 } });
  expect(tried()).toBe(64);
});
