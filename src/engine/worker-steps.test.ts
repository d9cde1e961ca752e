import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OUT } from "../../test/engine/lane-lab.ts";
import { answer, event, hang, hire, say } from "../../test/engine/worker-lab.ts";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { StepFailed } from "./errors.ts";
import { parseLines } from "./journal.ts";
import type { Ending, Run, StepOptions } from "./run.ts";

const lab = await laneLab();
const { lanes, redis } = lab;
const target = { kind: "socket", ...lab.where } as const;

/** Makes the wake times of the partition come, instead of waiting for them. */
const letTimePass = () => redis.zadd("{p0}delay", 1, CHAT);

/** What was said, in order. */
async function said(): Promise<string[]> {
  return (await lanes.waiting(OUT)).map(({ body }) => JSON.parse(body).text);
}

describe("a step", () => {
  test("is done once and its value is given again when the run goes on later", async () => {
    const done: string[] = [];
    const doOnce = (run: Run, name: string) =>
      run.step(name, async () => {
        done.push(name);
        return { from: name, at: done.length };
      });
    const hand = await hire({
      target,
      async handle(run) {
        const first = await doOnce(run, "one");
        if (!run.entries.some((entry) => entry.kind === "woken"))
          return { kind: "park", key: "go", lines: ['~{"key":"go","v":1,"at":1}'] };
        const second = await doOnce(run, "two");
        return answer(run, JSON.stringify([first, second]));
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("parked");
    await lanes.wake(CHAT, "go", '~{"key":"go","v":2,"at":1}');
    await hand.untilEnded("finished");
    expect(done).toEqual(["one", "two"]);
    expect(await said()).toEqual([
      JSON.stringify([
        { from: "one", at: 1 },
        { from: "two", at: 2 },
      ]),
    ]);
  });

  test.each<{ given: string; value: unknown }>([
    { given: "nothing", value: undefined },
    { given: "null", value: null },
    { given: "text with a line break and every quote", value: "a\nb\"c'd`\u2028\u0000" },
    { given: "a surrogate pair", value: "😀" },
    { given: "something nested", value: { a: [1, { b: false }], "": null } },
  ])("gives back $given as it was", async ({ value }) => {
    const seen: unknown[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        seen.push(await run.step("one", async () => value));
        return seen.length === 1 ? { kind: "park", waitMs: 0 } : answer(run, "done");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    expect(seen).toEqual([value, value]);
  });

  test("may run beside others of its run, and each is recorded once", async () => {
    const meeting = event();
    let arrived = 0;
    const hand = await hire({
      target,
      async handle(run) {
        const values = await Promise.all(
          [1, 2, 3].map((number) =>
            run.step(`part_${number}`, async () => {
              if (++arrived === 3) meeting.resolve();
              await meeting.promise;
              return number;
            }),
          ),
        );
        return answer(run, values.join());
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["1,2,3"]);
    const steps = parseLines(await lanes.readJournal(CHAT)).flatMap((entry) =>
      entry.kind === "step" ? [entry.step] : [],
    );
    expect(steps.sort()).toEqual(["part_1", "part_2", "part_3"]);
  });

  test("with a name that was used before is refused, and the run does not end in silence", async () => {
    const values: unknown[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        values.push(await run.step("same", async () => "first"));
        values.push(await run.step("same", async () => "second"));
        return answer(run, "never");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await hand.untilEnded("parked", attempt);
      await letTimePass();
    }
    await hand.untilEnded("finished");
    expect(values).toEqual(["first", "first", "first", "first"]);
    expect(await said()).toEqual([expect.stringContaining("step same is used twice in run")]);
  });

  test("that is the last one is written together with the end", async () => {
    const before = event<number>();
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("last", async () => "value", { last: () => true });
        before.resolve((await lanes.readJournal(CHAT, run.token)).length);
        return answer(run, "value");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    expect(await before.promise).toBe(1);
    const kinds = parseLines(await lanes.readJournal(CHAT)).map(({ kind }) => kind);
    expect(kinds).toEqual(["opened", "step", "ended"]);
  });

  test("that was to be the last one is written when another follows", async () => {
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("last", async () => "value", { last: () => true });
        await run.step("another", async () => "value");
        return answer(run, "value");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    const steps = parseLines(await lanes.readJournal(CHAT)).flatMap((entry) =>
      entry.kind === "step" ? [entry.step] : [],
    );
    expect(steps).toEqual(["last", "another"]);
  });

  test("says something in the same step in which it is recorded, and only then", async () => {
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("tell", async () => "news", { effects: (text) => say(run, "tell", text) });
        if (run.attempt === 1 && run.entries.filter(({ kind }) => kind === "note").length === 0)
          return { kind: "park", waitMs: 0, lines: ["#1"] };
        return { kind: "finish", end: "silent" };
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["news"]);
  });
});

describe("a failing step", () => {
  interface Case {
    readonly given: string;
    readonly error: Error;
    readonly options?: StepOptions<never>;
    /** Waits before each further try, milliseconds; the jitter is at its lowest. */
    readonly waits: readonly number[];
    readonly code: StepFailed["code"];
  }
  const busy = (ms?: number) =>
    new OutsideError("busy", { code: "overloaded", retry: { kind: "after", ...(ms === undefined ? {} : { ms }) } });
  const cases: readonly Case[] = [
    { given: "a failure that may pass", error: busy(), waits: [250, 500, 1000], code: "overloaded" },
    { given: "a failure that names a long wait", error: busy(5_000), waits: [5_000, 5_000, 5_000], code: "overloaded" },
    { given: "a failure that names a short wait", error: busy(1), waits: [250, 500, 1000], code: "overloaded" },
    {
      given: "a policy of its own",
      error: busy(),
      options: { retry: { tries: 3, baseMs: 8_000, maxMs: 10_000 } },
      waits: [4_000, 5_000],
      code: "overloaded",
    },
    {
      given: "a failure that stays",
      error: new OutsideError("no", { code: "forbidden" }),
      waits: [],
      code: "forbidden",
    },
    { given: "unusable input", error: new InvalidInput("no such thing"), waits: [], code: "invalid" },
    { given: "a bug", error: new TypeError("x is not a function"), waits: [], code: "failed" },
    {
      given: "an effect that must not be repeated",
      error: busy(),
      options: { effect: "once" },
      waits: [],
      code: "overloaded",
    },
  ];

  test.each(cases)("retry: $given -> waits $waits, then $code", async ({ error, options, waits, code }) => {
    const attempts: number[] = [];
    const failures: unknown[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        try {
          await run.step(
            "fragile",
            async ({ attempt, key }) => {
              attempts.push(attempt);
              expect(key).toBe(`${run.id}:fragile`);
              throw error;
            },
            options,
          );
        } catch (failure) {
          if (!(failure instanceof StepFailed)) throw failure;
          failures.push(failure.code);
          // Once more from the journal: the failure is part of it.
          return failures.length === 1 ? { kind: "park", waitMs: 0 } : answer(run, failure.message);
        }
        return answer(run, "never");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    for (const [index, wait] of waits.entries()) {
      await hand.untilEnded("parked", index + 1);
      expect(hand.ended.at(-1)).toMatchObject({ kind: "parked", waitMs: wait });
      expect((await lanes.look(CHAT)).kind).toBe("parked");
      await letTimePass();
    }
    await hand.untilEnded("finished");
    expect(attempts).toEqual([1, ...waits].map((_wait, index) => index + 1));
    expect(failures).toEqual([code, code]);
    expect(await said()).toEqual([error.message]);
  });

  test("lets its neighbours end before the run waits", async () => {
    const neighbour = event();
    const tries: string[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        await Promise.all([
          run.step("slow", async () => {
            tries.push("slow");
            await neighbour.promise;
          }),
          run.step("busy", async ({ attempt }) => {
            tries.push("busy");
            if (attempt > 1) return;
            // Long after the failure was written down.
            setTimeout(neighbour.resolve, 50);
            throw new OutsideError("busy", { code: "overloaded", retry: { kind: "after" } });
          }),
        ]);
        return answer(run, "both");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("parked");
    await letTimePass();
    await hand.untilEnded("finished");
    expect(tries).toEqual(["slow", "busy", "busy"]);
  });

  test("counts a failed try once although its line was appended twice", async () => {
    const attempts: number[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("fragile", async ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new OutsideError("busy", { code: "overloaded", retry: { kind: "after" } });
        });
        return answer(run, "made it");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("parked");
    await redis.rpush("{p0}c:chat/ada", (await redis.lindex("{p0}c:chat/ada", -1)) ?? "");
    await letTimePass();
    await hand.untilEnded("parked", 2);
    await letTimePass();
    await hand.untilEnded("finished");
    expect(attempts).toEqual([1, 2, 3]);
  });
});

describe("an effect that must happen once", () => {
  /** A run whose effect is under way when its worker is declared dead. */
  async function interrupted(effect: "once" | "repeat") {
    const begun = event();
    let times = 0;
    const results: unknown[] = [];
    const hand = await hire({
      target,
      async handle(run): Promise<Ending> {
        try {
          const value = await run.step(
            "pay",
            async ({ signal }) => {
              times++;
              begun.resolve();
              return times === 1 ? await hang(signal) : "paid";
            },
            { effect },
          );
          results.push(value);
        } catch (error) {
          if (!(error instanceof StepFailed)) throw error;
          results.push(error.code);
        }
        return answer(run, String(results.at(-1)));
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await begun.promise;
    const { id } = hand.worker;
    await lanes.reap(0, id(), 0);
    await hand.untilEnded("finished");
    return { times, results, said: await said() };
  }

  test("is never done again when nobody knows how it ended, and the handler is told", async () => {
    expect(await interrupted("once")).toEqual({ times: 1, results: ["outcome-unknown"], said: ["outcome-unknown"] });
  });

  test("unlike one that may be repeated", async () => {
    expect(await interrupted("repeat")).toEqual({ times: 2, results: ["paid"], said: ["paid"] });
  });

  test("is recorded at once, even as the last step", async () => {
    const lines = event<string[]>();
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("pay", async () => "paid", { effect: "once", last: () => true });
        lines.resolve(await lanes.readJournal(CHAT, run.token));
        return answer(run, "paid");
      },
    });
    await lanes.admit(CHAT, mail("m"));
    await hand.untilEnded("finished");
    expect((await lines.promise).map((line) => line[0])).toEqual([">", "!", "="]);
  });
});
