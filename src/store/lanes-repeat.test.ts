import { describe, expect, test } from "vitest";
import { CHAT, closing, laneLab, mail, OTHER, OUT } from "../../test/engine/lane-lab.ts";

// The client sends a command again when the connection broke before its reply came: at once, or after anything else
// has happened. Every command is sent twice here, byte for byte.

const lab = await laneLab();
const { lanes, redis } = lab;

/** Remembers the last script call on its way to Redis; it is sent as it is. */
let last: Parameters<typeof redis.evalsha> = ["", 0];
const send = redis.evalsha.bind(redis);
redis.evalsha = ((...call: Parameters<typeof redis.evalsha>) => {
  last = call;
  return send(...call);
}) as typeof redis.evalsha;
const record = () => {
  const call = last;
  return () => send(...call);
};

const says = {
  put: [{ lane: OUT, mail: mail("said") }],
  records: [{ key: "r:ada m1", value: "x", ttlMs: 60_000, append: true }],
};
const parking = { mail: false, failed: true, lines: ["="] } as const;

interface Command {
  readonly command: string;
  /** Sends it once. */
  readonly run: () => Promise<unknown>;
  /** Its repetition has another reply, of which nobody makes anything. */
  readonly replyDiffers?: string;
}

const commands: readonly Command[] = [
  { command: "admit to an idle lane", run: () => lanes.admit(CHAT, mail("m1")) },
  {
    command: "admit behind a run",
    run: async () => {
      await lab.begin();
      return lanes.admit(CHAT, mail("m2"));
    },
  },
  {
    command: "admit to a run that waits for mail",
    run: async () => {
      const { lane, token } = await lab.begin();
      await lanes.park({ lane, token, ...parking, mail: true });
      return lanes.admit(CHAT, mail("m2"));
    },
    replyDiffers: "started",
  },
  {
    command: "claim",
    run: async () => {
      await lab.register("w");
      for (const lane of [CHAT, OTHER]) await lanes.admit(lane, mail(`of-${lane}`));
      return lab.take("w", { chat: 2 });
    },
    replyDiffers: "resume",
  },
  {
    command: "commit",
    run: async () => {
      const { lane, token } = await lab.begin();
      return lanes.commit(lane, token, "=", says);
    },
  },
  {
    command: "finish",
    run: async () => {
      const { lane, token, runId } = await lab.begin();
      return lanes.finish({ lane, token, journal: "keep", lines: [closing(runId)], effects: says });
    },
  },
  {
    command: "finish that takes the next message",
    run: async () => {
      const { lane, token, runId } = await lab.begin();
      await lanes.admit(CHAT, mail("m2"));
      const lines = [closing(runId)];
      return lanes.finish({ lane, token, nextToken: "w.9000", journal: "keep", lines, effects: says });
    },
    replyDiffers: "resume",
  },
  {
    command: "finish that drops the journal",
    run: async () => {
      const { lane, token } = await lab.begin();
      return lanes.finish({ lane, token, journal: "drop", lines: [], effects: says });
    },
    replyDiffers: "lost",
  },
  {
    command: "park until a time",
    run: async () => {
      const { lane, token } = await lab.begin();
      return lanes.park({ lane, token, ...parking, waitMs: 60_000, effects: says });
    },
    replyDiffers: "lost",
  },
  {
    command: "park to hand over",
    run: async () => {
      const { lane, token } = await lab.begin();
      return lanes.park({ lane, token, ...parking, waitMs: 0, effects: says });
    },
    replyDiffers: "lost",
  },
  {
    command: "wake",
    run: async () => {
      const { lane, token } = await lab.begin();
      await lanes.park({ lane, token, ...parking, key: "k" });
      return lanes.wake(lane, "k", "~woken");
    },
  },
  {
    command: "decide",
    run: async () => {
      const { lane, token, runId } = await lab.begin();
      const records = [lanes.matterRecord("ap:1", "{}", 60_000)];
      await lanes.park({ lane, token, ...parking, key: "k", effects: { records } });
      const announce = { channel: "c", payload: "p" };
      const decision = { matter: "ap:1", key: "k", decision: "yes", line: "~yes", announce } as const;
      return lanes.decide({ lane, runId, by: "person", ...decision });
    },
  },
  {
    command: "cancel",
    run: async () => {
      const { lane, runId } = await lab.begin();
      await lanes.admit(CHAT, mail("m2"));
      return lanes.cancel({ lane, runId, linesRead: 1, line: closing(runId), effects: says });
    },
  },
  {
    command: "absorb",
    run: async () => {
      const { lane, token } = await lab.begin();
      await lanes.admit(CHAT, mail("m2", "steer"));
      return lanes.absorb(lane, token, 1);
    },
  },
  {
    command: "edit",
    run: async () => {
      await lanes.admit(CHAT, mail("m1"));
      return lanes.edit(CHAT, { ...mail("m1"), body: '"new"' });
    },
  },
  {
    command: "withdraw",
    run: async () => {
      await lanes.admit(CHAT, mail("m1"));
      return lanes.withdraw(CHAT, mail("m1").id);
    },
  },
  {
    command: "beat",
    run: async () => {
      await lab.begin();
      return lanes.beat(0, "w", false);
    },
  },
  {
    command: "reap",
    run: async () => {
      await lab.begin();
      return lanes.reap(0, "w", 0);
    },
    replyDiffers: "-1",
  },
  {
    command: "compact",
    run: async () => {
      for (const id of ["a", "b"]) await lab.end(await lab.begin(id));
      const lines = await lanes.readJournal(CHAT);
      return lanes.compact(CHAT, { length: lines.length, last: lines.at(-1) ?? "" }, 2, Buffer.from("packed"));
    },
    replyDiffers: "changed",
  },
];

test.each(commands)(
  "$command, sent twice at once, has one effect and the same reply",
  async ({ run, replyDiffers }) => {
    await lab.register("w");
    await run();
    const again = record();
    const before = await lab.snapshot();
    const first = JSON.stringify(await again());
    expect(await lab.snapshot()).toEqual(before);
    expect(JSON.stringify(await again())).toBe(first);
    if (replyDiffers !== undefined) expect(first).toContain(replyDiffers);
  },
);

/** The replies that matter when the first was lost. */
test.each([
  { command: "admit to an idle lane", reply: ["started", 0, ""] },
  { command: "admit behind a run", reply: ["queued", 1, ""] },
  { command: "commit", reply: "recorded" },
  { command: "finish", reply: ["finished"] },
  { command: "wake", reply: "woken" },
  { command: "cancel", reply: "cancelled" },
  { command: "edit", reply: "changed" },
  { command: "withdraw", reply: "withdrawn" },
])("$command, sent again, still says $reply", async ({ command, reply }) => {
  await lab.register("w");
  await commands.find((each) => each.command === command)?.run();
  expect(await record()()).toEqual(reply);
});

/** Takes and ends everything that is there, until nothing is. */
async function drainLanes(worker: string): Promise<void> {
  await lab.register(worker);
  for (;;) {
    const claims = await lab.take(worker, { chat: 5, out: 5 });
    if (claims.length === 0) return;
    for (const claim of claims) await lab.end(claim);
  }
}

const meanwhiles: readonly { readonly meanwhile: string; readonly happen: () => Promise<unknown> }[] = [
  { meanwhile: "another message came", happen: () => lanes.admit(CHAT, mail("later")) },
  {
    meanwhile: "another worker took what is ready",
    happen: async () => {
      await lab.register("x");
      await lab.take("x", { chat: 5, out: 5 });
    },
  },
  { meanwhile: "the worker was reaped", happen: () => lanes.reap(0, "w", 0) },
  {
    meanwhile: "the worker was reaped and another took over",
    happen: async () => {
      await lanes.reap(0, "w", 0);
      await lab.register("x");
      await lab.take("x", { chat: 5, out: 5 });
    },
  },
  {
    meanwhile: "the current run was cancelled",
    happen: async () => {
      const state = await lanes.look(CHAT);
      if (state.kind === "idle" || state.kind === "ready") return;
      const lines = await lanes.readJournal(CHAT, state.kind === "run" ? state.token : undefined);
      await lanes.cancel({ lane: CHAT, runId: state.runId, linesRead: lines.length, line: ".cancelled", effects: {} });
    },
  },
  {
    meanwhile: "everything was done by another worker",
    happen: async () => {
      await lanes.reap(0, "w", 0);
      await drainLanes("x");
    },
  },
  {
    meanwhile: "everything was done, and then more came",
    happen: async () => {
      await lanes.reap(0, "w", 0);
      await drainLanes("x");
      await lanes.admit(CHAT, mail("later"));
      await lab.take("x");
    },
  },
];

describe.each(meanwhiles)("when $meanwhile", ({ happen }) => {
  test.each(commands)("$command, sent again, changes nothing", async ({ run }) => {
    await lab.register("w");
    await run();
    const again = record();
    await happen();
    const before = await lab.snapshot();
    await again();
    expect(await lab.snapshot()).toEqual(before);
  });
});

test("a message absorbed by a command whose reply was lost is not lost when other steps were written since", async () => {
  const { lane, token } = await lab.begin();
  await lanes.admit(CHAT, mail("m2", "steer"));
  const line = await lanes.absorb(lane, token, 1);
  const again = record();
  await lanes.append(lane, token, '={"s":"another"}');
  await lanes.admit(CHAT, mail("m3", "steer"));
  expect(await again()).toEqual(line);
  expect((await lanes.waiting(CHAT)).map(({ id }) => id)).toEqual(["m3"]);
});

test("a cancel whose reply was lost does not turn against the run that came next", async () => {
  const { lane, runId } = await lab.begin();
  await lanes.admit(CHAT, mail("m2"));
  await lanes.cancel({ lane, runId, linesRead: 1, line: closing(runId), effects: says });
  const again = record();
  await lab.take("w");
  expect(await again()).toBe("cancelled");
  expect((await lanes.look(lane)).kind).toBe("run");
});

test("a finish whose reply was lost does not hand out a run that is over", async () => {
  const { lane, token, runId } = await lab.begin();
  await lanes.admit(CHAT, mail("m2"));
  const { next } = await lanes.finish({
    lane,
    token,
    nextToken: "w.9000",
    journal: "keep",
    lines: [closing(runId)],
  });
  const again = record();
  if (next === undefined) throw new Error("a message was waiting");
  await lab.end(next);
  expect(await again()).toEqual(["finished"]);
});
