import { InvalidInput, OutsideError, describeError, type OutsideCode, type Retry } from "../kernel/errors.ts";
import type { Clock, Log, NewId } from "../kernel/ports.ts";
import { decideBlame } from "./blame.ts";
import type { Breaker, CallEnd, Pass } from "./breaker.ts";
import type { ModelClient, ModelReply, ModelRequest, Purpose } from "./contract.ts";
import { estimateRequest } from "./estimate.ts";
import type { Price } from "./pricing.ts";

/** One entry of the model list. */
export interface ModelSpec {
  /** What people and the configuration call it; unique in the list. */
  readonly name: string;
  /** What its provider calls it. */
  readonly model: string;
  /** The most one call may take, milliseconds: the deadline its client keeps. */
  readonly timeoutMs: number;
  /** How many tokens a request may have; a request that is certainly longer goes to entries that take more. */
  readonly contextTokens?: number;
  readonly price?: Price;
}

/** An entry as `/model` shows it. */
export interface ModelState {
  readonly name: string;
  readonly model: string;
  /** `trying`: the next call to it finds out whether it is well again. */
  readonly state: "ready" | "trying" | "waiting";
  /** Set while waiting. */
  readonly waitMs?: number;
  readonly code?: OutsideCode;
}

export interface ModelPoolOptions {
  /** In failover order, at least one. */
  readonly models: readonly ModelSpec[];
  /** The entry asked first for a purpose; the first of the list unless given. */
  readonly purposes?: Partial<Readonly<Record<Purpose, string>>>;
  /** A client for every entry, by name. */
  readonly clients: ReadonlyMap<string, ModelClient>;
  readonly breaker: Breaker;
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonic">;
  readonly newId: NewId;
}

/** What decides who is asked. */
export interface ModelWish {
  readonly purpose: Purpose;
  /** The entry a conversation chose. One that is not in the list any more is passed over. */
  readonly model?: string;
  /** About how long the request is. */
  readonly tokens?: number;
}

/** Several models behind the one call. */
export interface ModelPool extends ModelClient {
  /**
   * Asks the entries of {@link choose} one after the other until one answers; `reply.model` is the name of that entry.
   * An entry at fault is left for the next one, a request at fault is not. Entries that asked to be left alone, or failed
   * too often, are skipped. When nobody answered, the error's `retry` is the earliest time at which somebody may.
   */
  ask(request: ModelRequest): Promise<ModelReply>;
  /** All entries in failover order, and whether they can be asked now. */
  list(): Promise<readonly ModelState[]>;
  /** The entries in the order in which a request would be given to them; never empty. Pure. */
  choose(wish: ModelWish): readonly ModelSpec[];
}

/** Builds the pool. Throws `InvalidInput` for an empty list, a name used twice, an unknown name or a missing client. */
export function createModelPool(options: ModelPoolOptions): ModelPool {
  const { models, purposes = {}, breaker, log, clock, newId } = options;
  check(options);
  const measures = models.some(({ contextTokens }) => contextTokens !== undefined);

  function choose({ purpose, model, tokens }: ModelWish): readonly ModelSpec[] {
    const named = (name: string | undefined) => models.find((spec) => spec.name === name);
    const first = named(model) ?? named(purposes[purpose]);
    const order = first === undefined ? models : [first, ...models.filter((spec) => spec !== first)];
    const fitting = order.filter(({ contextTokens = Infinity }) => (tokens ?? 0) <= contextTokens);
    // The count is an estimate: when nobody seems to take it, the provider has the last word.
    return fitting.length > 0 ? fitting : order;
  }

  /** A breaker in trouble must not keep anyone from asking. */
  async function enter(spec: ModelSpec, token: string): Promise<Pass> {
    try {
      return await breaker.pass(spec.name, { token, probeMs: spec.timeoutMs + PROBE_SLACK_MS });
    } catch (error) {
      log.warn({ model: spec.name, error: describeError(error) }, "whether the model is in trouble is not known");
      return { kind: "go", failures: 0 };
    }
  }

  async function report(spec: ModelSpec, token: string, end: CallEnd): Promise<void> {
    try {
      await breaker.report(spec.name, token, end);
    } catch (error) {
      log.warn({ model: spec.name, error: describeError(error) }, "how the model did could not be noted");
    }
  }

  async function attempt(spec: ModelSpec, request: ModelRequest): Promise<ModelReply | Failure> {
    const token = newId();
    const pass = await enter(spec, token);
    if (pass.kind === "wait") return { spec, asked: false, ...pass };
    const client = clientOf(spec, options.clients);
    const worthTelling = pass.kind === "probe" || pass.failures > 0;
    try {
      request.signal.throwIfAborted();
      const reply = await client.ask({ ...request, model: spec.model });
      if (worthTelling) await report(spec, token, { how: "answered" });
      return { ...reply, model: spec.name };
    } catch (error) {
      const end = endOf(error);
      // Only a failure, and whatever ends a probe, changes what is known.
      if (end.how === "failed" || worthTelling) await report(spec, token, end);
      if (!(error instanceof OutsideError)) throw error;
      return { spec, asked: true, error, blame: decideBlame(error) };
    }
  }

  return {
    choose,
    async ask(request) {
      const started = clock.monotonic();
      const about = { runId: request.runId, purpose: request.purpose };
      const wish = {
        purpose: request.purpose,
        ...(request.model === undefined ? {} : { model: request.model }),
        ...(measures ? { tokens: estimateRequest(request) } : {}),
      };
      if (request.model !== undefined && !models.some(({ name }) => name === request.model))
        log.warn({ ...about, model: request.model }, "the conversation's model is not in the list any more");
      const failures: Failure[] = [];
      const stream = firstText(request.onText);
      for (const spec of choose(wish)) {
        const result = await attempt(spec, { ...withoutText(request), ...stream.next() });
        if (!("spec" in result)) {
          if (failures.length > 0) {
            const ms = Math.round(clock.monotonic() - started);
            log.info({ ...about, model: spec.name, after: failures.map(nameOf), ms }, "another model answered");
          }
          return result;
        }
        failures.push(result);
        if (result.asked && result.blame !== "entry") break;
      }
      throw verdictOn(failures);
    },
    async list() {
      return Promise.all(models.map(async (spec) => stateOf(spec, await breaker.look(spec.name))));
    },
  };
}

/** What a probe may take beyond the call's own deadline before another process may try. */
const PROBE_SLACK_MS = 10_000;

/** Why an entry did not answer: it was asked and failed, or was not asked because it has to be left alone. */
type Failure =
  | {
      readonly spec: ModelSpec;
      readonly asked: true;
      readonly error: OutsideError;
      readonly blame: ReturnType<typeof decideBlame>;
    }
  | { readonly spec: ModelSpec; readonly asked: false; readonly ms: number; readonly code: OutsideCode };

function check({ models, purposes = {}, clients }: ModelPoolOptions): void {
  if (models.length === 0) throw new InvalidInput("The list of models is empty");
  const names = new Set<string>();
  for (const spec of models) {
    if (names.has(spec.name)) throw new InvalidInput(`Two models are called ${spec.name}`);
    names.add(spec.name);
    clientOf(spec, clients);
  }
  for (const [purpose, name] of Object.entries(purposes))
    if (!names.has(name)) throw new InvalidInput(`The model for ${purpose}, ${name}, is not in the list of models`);
}

function clientOf(spec: ModelSpec, clients: ModelPoolOptions["clients"]): ModelClient {
  const client = clients.get(spec.name);
  if (client === undefined) throw new InvalidInput(`The model ${spec.name} has no client`);
  return client;
}

function endOf(error: unknown): CallEnd {
  if (!(error instanceof OutsideError)) return { how: "dropped" };
  switch (decideBlame(error)) {
    case "entry":
      return {
        how: "failed",
        code: error.code,
        ...(error.retry.kind === "after" && error.retry.ms !== undefined ? { waitMs: error.retry.ms } : {}),
      };
    case "request":
      // It said no to the request, so it works.
      return { how: "answered" };
    case "nobody":
      return { how: "dropped" };
  }
}

function withoutText({ onText: _onText, ...request }: ModelRequest): ModelRequest {
  return request;
}

/** Passes on the text of one entry only: what a second one writes must not be shown behind half an answer of the first. */
function firstText(onText: ModelRequest["onText"]) {
  let shown = false;
  return {
    next(): Pick<ModelRequest, "onText"> {
      if (onText === undefined || shown) return {};
      return {
        onText: (delta) => {
          shown = true;
          onText(delta);
        },
      };
    },
  };
}

/** The one error for all that went wrong; alone it is thrown as it was. */
function verdictOn(failures: readonly Failure[]): OutsideError {
  const [first] = failures;
  if (failures.length === 1 && first?.asked === true) return first.error;
  // A failure that may pass says more than one that will not: trying again can succeed.
  const telling = failures.find((failure) => retryOf(failure).kind === "after") ?? first;
  const code = telling === undefined ? "unavailable" : telling.asked ? telling.error.code : telling.code;
  const cause = failures.flatMap((failure) => (failure.asked ? [failure.error] : []))[0];
  return new OutsideError(`No model could answer: ${failures.map(reasonOf).join("; ")}`, {
    code,
    retry: earliest(failures),
    ...(cause === undefined ? {} : { cause }),
  });
}

function retryOf(failure: Failure): Retry {
  return failure.asked ? failure.error.retry : { kind: "after", ms: failure.ms };
}

function earliest(failures: readonly Failure[]): Retry {
  const waits = failures.map(retryOf).flatMap((retry) => (retry.kind === "after" ? [retry.ms] : []));
  if (waits.length === 0) return { kind: "never" };
  // One that named no time may be asked as soon as the caller likes.
  const known = waits.filter((ms) => ms !== undefined);
  return known.length < waits.length ? { kind: "after" } : { kind: "after", ms: Math.min(...known) };
}

function reasonOf(failure: Failure): string {
  if (failure.asked) return `${nameOf(failure)} failed (${failure.error.message})`;
  return `${nameOf(failure)} is left alone for ${Math.ceil(failure.ms / 1000)} s (${failure.code})`;
}

function nameOf({ spec }: Failure): string {
  return spec.name;
}

function stateOf({ name, model }: ModelSpec, pass: Pass): ModelState {
  switch (pass.kind) {
    case "go":
      return { name, model, state: "ready" };
    case "probe":
      return { name, model, state: "trying" };
    case "wait":
      return { name, model, state: "waiting", waitMs: pass.ms, code: pass.code };
  }
}
