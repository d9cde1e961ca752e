import { z } from "zod";
import { describeError, OutsideError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import type { ChatMessage, ToolCall } from "../models/contract.ts";
import { withDeadline } from "../tools/deadline.ts";
import { HOOK_POINTS, type HookContext, type HookNews, type HookPoint } from "./contract.ts";
import type { Hooks } from "./define.ts";
import { checkTranscript } from "./transcript.ts";

/** A decision of a `before` hook: what to go on with, or why not. */
export type Decision<T> =
  | { readonly kind: "go"; readonly value: T }
  | { readonly kind: "refused"; readonly sentence: string };

/** A hook that is switched off. */
export interface HookTrouble {
  /** The file's name, with its folder. */
  readonly file: string;
  readonly point: HookPoint;
  /** The last failure, in a sentence. */
  readonly problem: string;
}

/** Calls the hooks there are now. Nothing a hook does can make one of these throw, except the caller's own abort. */
export interface HookRunner {
  /** Whether any hook of this kind is loaded. */
  has(point: HookPoint): boolean;
  beforeModel(
    place: HookContext,
    call: { readonly messages: readonly ChatMessage[]; readonly tools: readonly string[] },
  ): Promise<Decision<readonly ChatMessage[]>>;
  /** The text of the reply, changed or not. */
  afterModel(
    place: HookContext,
    reply: { readonly text: string; readonly toolCalls: readonly ToolCall[]; readonly model: string },
  ): Promise<string>;
  /** The arguments, changed or not. */
  beforeTool(
    place: HookContext,
    call: { readonly tool: string; readonly effect: string; readonly args: unknown },
  ): Promise<Decision<unknown>>;
  /** What the model reads of the result, changed or not. */
  afterTool(
    place: HookContext,
    result: { readonly tool: string; readonly args: unknown; readonly content: string; readonly ok: boolean },
  ): Promise<string>;
  /** Tells the hooks that listen, one after the other, beside what is going on. */
  tell<Point extends keyof HookNews>(point: Point, news: HookNews[Point]): void;
  /** The hooks that are switched off now. */
  troubles(): readonly HookTrouble[];
  /** Resolves when everything that was told has been heard. */
  settled(): Promise<void>;
}

export interface HookRunnerParts {
  /** The hooks in use, in the order in which they are called. */
  readonly hooks: () => readonly { readonly file: string; readonly hooks: Hooks }[];
  readonly limits: () => { readonly timeoutMs: number; readonly maxFailures: number };
  readonly log: Log;
  /** Told of every call, for counting. Must not throw. */
  readonly onCall?: (point: HookPoint, outcome: "done" | "failed" | "skipped") => void;
}

/** News that wait for a slow hook; beyond that they are dropped and said to be. */
const MAX_WAITING_NEWS = 1_000;

/** What the hooks of one file are still to be told. */
interface NewsQueue {
  last: Promise<void>;
  waiting: number;
  /** Of every run the newest text that was not told yet. */
  readonly partial: Map<string, HookNews["onRunPartial"]>;
}

interface Named {
  readonly file: string;
  readonly hooks: Hooks;
}

/** Builds the runner. What failed is kept with the loaded file, so a file that is loaded again begins anew. */
export function createHookRunner({ hooks, limits, log, onCall }: HookRunnerParts): HookRunner {
  const states = new WeakMap<Hooks, Map<HookPoint, { failures: number; problem: string }>>();
  const queues = new WeakMap<Hooks, NewsQueue>();
  const never = new AbortController().signal;
  const busy = new Set<Promise<void>>();

  const listening = (point: HookPoint) => hooks().filter((named) => named.hooks.definition[point] !== undefined);
  const stateOf = (of: Hooks, point: HookPoint) => {
    const points = states.get(of) ?? new Map<HookPoint, { failures: number; problem: string }>();
    states.set(of, points);
    const state = points.get(point) ?? { failures: 0, problem: "" };
    points.set(point, state);
    return state;
  };
  const isOff = ({ hooks: of }: Named, point: HookPoint) => stateOf(of, point).failures >= limits().maxFailures;

  function failed({ file, hooks: of }: Named, point: HookPoint, error: unknown): void {
    const state = stateOf(of, point);
    state.failures += 1;
    state.problem = describeError(error).slice(0, 300);
    onCall?.(point, "failed");
    log.warn({ file, point, failures: state.failures, error: state.problem }, "a hook failed and was passed over");
    if (state.failures === limits().maxFailures)
      log.error({ file, point, error: state.problem }, "a hook is switched off until its file is loaded again");
  }

  /** What one hook returned, or that it gave nothing because it failed or is off. */
  async function call<Shape extends z.ZodType>(
    named: Named,
    point: HookPoint,
    signal: AbortSignal,
    work: (signal: AbortSignal) => unknown,
    shape: Shape,
  ): Promise<{ readonly answer: z.output<Shape> | undefined } | "failed"> {
    if (isOff(named, point)) {
      onCall?.(point, "skipped");
      return "failed";
    }
    const ms = limits().timeoutMs;
    try {
      const late = () => new OutsideError(`did not finish within ${ms / 1000} s`, { code: "timeout" });
      const returned: unknown = await withDeadline({ ms, signal, late }, async (inner) => work(inner));
      const answer = returned === undefined ? undefined : shape.parse(returned);
      stateOf(named.hooks, point).failures = 0;
      onCall?.(point, "done");
      return { answer };
    } catch (error) {
      // The run was stopped or handed over: that is no fault of the hook's.
      signal.throwIfAborted();
      failed(named, point, error instanceof z.ZodError ? new Error(`gave back ${z.prettifyError(error)}`) : error);
      return "failed";
    }
  }

  const refusedFor = ({ file, hooks: of }: Named, point: HookPoint): Decision<never> | undefined =>
    of.definition.onFailure === "refuse"
      ? { kind: "refused", sentence: `This was not done: the check in ${file} (${point}) does not work at the moment.` }
      : undefined;

  async function hear<Point extends keyof HookNews>(named: Named, point: Point, news: HookNews[Point]): Promise<void> {
    const { definition } = named.hooks;
    const hook = definition[point] as ((news: HookNews[Point]) => unknown) | undefined;
    await call(named, point, never, () => hook?.call(definition, news), z.unknown());
  }

  return {
    has: (point) => listening(point).length > 0,

    async beforeModel(place, { messages, tools }) {
      let current = messages;
      for (const named of listening("beforeModel")) {
        const { definition } = named.hooks;
        const given = await call(
          named,
          "beforeModel",
          place.signal,
          (signal) => definition.beforeModel?.({ ...place, signal, messages: structuredClone(current), tools }),
          changeOr(z.object({ messages: transcriptSchema })),
        );
        const refusal = given === "failed" ? refusedFor(named, "beforeModel") : refusalIn(given.answer);
        if (refusal !== undefined) return refusal;
        if (given !== "failed" && given.answer !== undefined && "messages" in given.answer)
          current = given.answer.messages;
      }
      return { kind: "go", value: current };
    },

    async afterModel(place, reply) {
      let { text } = reply;
      for (const named of listening("afterModel")) {
        const { definition } = named.hooks;
        const given = await call(
          named,
          "afterModel",
          place.signal,
          (signal) => definition.afterModel?.({ ...place, ...structuredClone(reply), text, signal }),
          z.object({ text: z.string() }),
        );
        // An empty answer would be none at all.
        if (given !== "failed" && given.answer !== undefined && given.answer.text.trim() !== "")
          text = given.answer.text.toWellFormed();
      }
      return text;
    },

    async beforeTool(place, { tool, effect, args }) {
      let current = args;
      for (const named of listening("beforeTool")) {
        const { definition } = named.hooks;
        const given = await call(
          named,
          "beforeTool",
          place.signal,
          (signal) => definition.beforeTool?.({ ...place, signal, tool, effect, args: structuredClone(current) }),
          changeOr(z.object({ args: z.json() })),
        );
        const refusal = given === "failed" ? refusedFor(named, "beforeTool") : refusalIn(given.answer);
        if (refusal !== undefined) return refusal;
        if (given !== "failed" && given.answer !== undefined && "args" in given.answer) current = given.answer.args;
      }
      return { kind: "go", value: current };
    },

    async afterTool(place, result) {
      let { content } = result;
      for (const named of listening("afterTool")) {
        const { definition } = named.hooks;
        const given = await call(
          named,
          "afterTool",
          place.signal,
          (signal) => definition.afterTool?.({ ...place, ...structuredClone(result), content, signal }),
          z.object({ content: z.string() }),
        );
        if (given !== "failed" && given.answer !== undefined) content = given.answer.content.toWellFormed();
      }
      return content;
    },

    tell(point, news) {
      for (const named of listening(point)) {
        const queue: NewsQueue = queues.get(named.hooks) ?? { last: Promise.resolve(), waiting: 0, partial: new Map() };
        queues.set(named.hooks, queue);
        // Of a text that grows only the newest is worth telling.
        if (point === "onRunPartial") {
          const partial = news as HookNews["onRunPartial"];
          const known = queue.partial.has(partial.runId);
          queue.partial.set(partial.runId, partial);
          if (known) continue;
        }
        if (queue.waiting >= MAX_WAITING_NEWS) {
          if (point === "onRunPartial") queue.partial.delete((news as HookNews["onRunPartial"]).runId);
          onCall?.(point, "skipped");
          log.warn({ file: named.file, point }, "a hook is too slow: it was not told");
          continue;
        }
        queue.waiting += 1;
        const heard = queue.last.then(async () => {
          const latest = point === "onRunPartial" ? newest(queue.partial, news as HookNews["onRunPartial"]) : news;
          await hear(named, point, latest as typeof news);
          queue.waiting -= 1;
        });
        queue.last = heard;
        busy.add(heard);
        void heard.finally(() => busy.delete(heard));
      }
    },

    troubles: () =>
      hooks().flatMap((named) =>
        HOOK_POINTS.filter((point) => named.hooks.definition[point] !== undefined && isOff(named, point)).map(
          (point) => ({
            file: named.file,
            point,
            problem: stateOf(named.hooks, point).problem,
          }),
        ),
      ),

    async settled() {
      while (busy.size > 0) await Promise.allSettled(busy);
    },
  };
}

function newest(
  partial: Map<string, HookNews["onRunPartial"]>,
  news: HookNews["onRunPartial"],
): HookNews["onRunPartial"] {
  const latest = partial.get(news.runId) ?? news;
  partial.delete(news.runId);
  return latest;
}

const transcriptSchema = z.unknown().transform((value, context): readonly ChatMessage[] => {
  const checked = checkTranscript(value);
  if ("messages" in checked) return checked.messages;
  context.issues.push({ code: "custom", input: value, message: checked.wrong });
  return z.NEVER;
});

const refusalSchema = z.object({ refuse: z.string() });

function changeOr<Shape extends z.ZodType>(shape: Shape) {
  return z.union([refusalSchema, shape]);
}

function refusalIn(answer: unknown): Decision<never> | undefined {
  const refusal = refusalSchema.safeParse(answer).data;
  if (refusal === undefined) return undefined;
  const sentence = refusal.refuse.trim().toWellFormed();
  return { kind: "refused", sentence: sentence === "" ? "This was refused." : sentence };
}
