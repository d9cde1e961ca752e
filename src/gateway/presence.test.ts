import { Redis } from "ioredis";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRecordingAdapter } from "../../test/platforms/recording-adapter.ts";
import { testRedis } from "../../test/setup/redis.ts";
import { OutsideError } from "../kernel/errors.ts";
import { parseConversationId, parseRunId, type ConversationId } from "../kernel/ids.ts";
import { silentLog } from "../kernel/ports.ts";
import type { Presence } from "../platforms/contract.ts";
import { createShownStore } from "../store/shown.ts";
import { createPresence } from "./presence.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const shown = createShownStore(redis);
const run = parseRunId("worker.1");

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

let count = 0;

function stage(over: Partial<Presence> = {}) {
  const seen: string[] = [];
  const presence: Presence = {
    typingEveryMs: 4_000,
    typing: () => Promise.resolve(void seen.push("typing")),
    progress: (_conversation, line, previous) => {
      seen.push(`progress ${line}${previous === undefined ? "" : ` in ${previous}`}`);
      return Promise.resolve(previous ?? "p1");
    },
    clearProgress: (_conversation, previous) => Promise.resolve(void seen.push(`clear ${previous}`)),
    previewEveryMs: 1_000,
    preview: (_conversation, { text, draft }) => {
      seen.push(`preview ${text}${draft === undefined ? "" : ` in ${draft}`}`);
      return Promise.resolve(draft ?? "d1");
    },
    ...over,
  };
  const { adapter } = createRecordingAdapter({ presence });
  const show = createPresence({ adapters: [adapter], shown, log: silentLog });
  const conversation = parseConversationId(`slack:C${++count}`);
  return { seen, show, conversation };
}

const delta = (text: string, step = "model_1", reset?: true) =>
  ({ type: "text.delta", run_id: run, step, text, ...(reset ? { reset } : {}) }) as const;
const working = (label: string) => ({ type: "run.progress", run_id: run, step: "tool_1", label }) as const;
const until = (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), { interval: 1 });
const noteOf = (conversation: ConversationId) => redis.hgetall(`shown:{${conversation}}`);

test("typing is repeated for as long as the run is held, and not a moment longer", async () => {
  const { seen, show, conversation } = stage();
  show.begin(conversation, run);
  await until(() => seen.length === 1);
  vi.advanceTimersByTime(4_000);
  await until(() => seen.length === 2);
  show.end(conversation, run);
  vi.advanceTimersByTime(60_000);
  await show.close();
  expect(seen).toEqual(["typing", "typing"]);
});

test("what a long run does is one line that changes, noted so that anybody can remove it, and gone at the end", async () => {
  const { seen, show, conversation } = stage();
  show.begin(conversation, run);
  show.tell(conversation, working("Using web_fetch"));
  show.tell(conversation, working("Using calculate"));
  vi.advanceTimersByTime(2_900);
  await until(() => seen.length > 0);
  expect(seen).toEqual(["typing"]);
  vi.advanceTimersByTime(200);
  await until(() => seen.includes("progress Using calculate"));
  await vi.waitFor(async () => expect(await noteOf(conversation)).toEqual({ progress: "p1" }), { interval: 1 });
  show.tell(conversation, working("Using time_now"));
  vi.advanceTimersByTime(1_500);
  await until(() => seen.includes("progress Using time_now in p1"));
  show.end(conversation, run);
  await show.close();
  expect(seen.at(-1)).toBe("clear p1");
  expect(await noteOf(conversation)).toEqual({});
});

test("a run that follows a dead process removes the line that one left behind", async () => {
  const { seen, show, conversation } = stage();
  await shown.keepProgress(conversation, "left-behind");
  show.begin(conversation, run);
  show.end(conversation, run);
  await show.close();
  expect(seen).toContain("clear left-behind");
  expect(await noteOf(conversation)).toEqual({});
});

test("the text so far is shown whole, in one message that is noted for the answer; a new attempt starts over", async () => {
  const { seen, show, conversation } = stage({ typing: () => Promise.resolve() });
  show.begin(conversation, run);
  show.tell(conversation, delta("Hel"));
  show.tell(conversation, delta("lo"));
  vi.advanceTimersByTime(1_000);
  await until(() => seen.includes("preview Hello"));
  await vi.waitFor(async () => expect(await shown.find(conversation, run)).toBe("d1"), { interval: 1 });
  show.tell(conversation, delta("Good", "model_1", true));
  vi.advanceTimersByTime(1_000);
  await until(() => seen.includes("preview Good in d1"));
  show.end(conversation, run);
  await show.close();
  expect(await shown.find(conversation, parseRunId("worker.2"))).toBeUndefined();
});

test("what fails is not tried again in the run, and the rest goes on", async () => {
  let typed = 0;
  const { seen, show, conversation } = stage({
    typing: () => {
      typed += 1;
      return Promise.reject(new OutsideError("no", { code: "forbidden" }));
    },
  });
  show.begin(conversation, run);
  await until(() => typed === 1);
  vi.advanceTimersByTime(4_000);
  show.tell(conversation, delta("still shown"));
  vi.advanceTimersByTime(1_000);
  await until(() => seen.includes("preview still shown"));
  show.end(conversation, run);
  await show.close();
  expect(typed).toBe(1);
});
