import { InvalidInput } from "../kernel/errors.ts";
import type { ConversationId, MessageId, WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import {
  AmbiguousSchedule,
  slotMessageId,
  type ScheduleChange,
  type Schedules,
  type ScheduleView,
  type SlotRun,
  type SlotView,
} from "../kernel/schedules.ts";
import type { ScheduleStore, StoredSchedule } from "../store/schedules.ts";
import { confirmation } from "./confirmation.ts";
import { packDefinition, unpackDefinition, type Definition } from "./definition.ts";
import { readLedger } from "./ledger.ts";
import type { Occurrences } from "./occurrences.ts";
import { offsetOf, scheduledText } from "./sweeper.ts";
import { askZone, readWhen, unknownZone, type When } from "./when.ts";
import { describeRule, showFires, showRule } from "./words.ts";
import { findZone } from "./zones.ts";

/** What became of a schedule, for whoever watches. */
export interface ScheduleNews {
  readonly workspaceId: WorkspaceId;
  readonly action: "created" | "changed" | "deleted";
  readonly id: string;
  readonly description: string;
}

export interface ScheduleParts {
  readonly store: ScheduleStore;
  readonly occurrences: Occurrences;
  readonly clock: Clock;
  /** The zone a person named, and how they name one. */
  readonly zones: {
    find(owner: WorkspaceId): Promise<string | undefined>;
    set(owner: WorkspaceId, zone: string): Promise<void>;
  };
  /** Keeps a conversation in the lists of conversations, also one in which nobody has spoken yet. */
  readonly touch: (conversation: ConversationId, owner: WorkspaceId, at: number) => Promise<unknown>;
  /** Puts a message in at the door. */
  readonly admit: (message: InboundMessage) => Promise<unknown>;
  readonly messageStatus: (conversation: ConversationId, id: MessageId) => Promise<SlotMessage | undefined>;
  /** Tokens that the last runs of a schedule or a conversation used, newest first. */
  readonly tokensOf: (conversation: ConversationId, runs: readonly string[]) => Promise<readonly number[]>;
  /** Told after a schedule was created, changed or deleted; after a crash in between nobody is told. */
  readonly onChange?: (change: ScheduleNews) => void;
  readonly limits: () => { readonly maxPerPerson: number; readonly minIntervalMs: number };
}

/** What is looked up about a slot's message. */
export interface SlotMessage {
  readonly answers: readonly { readonly deliveryId: string; readonly postedId: string; readonly deliveredAt: number }[];
}

const SHOWN_FIRES = 5;
const MAX_DESCRIPTION_CHARS = 2_000;
/** Editing is repeated when somebody else changed the same schedule meanwhile. */
const MAX_EDITS = 20;
/** A zone whose clock differs from UTC at every hour of the day, to see whether a rule depends on the zone. */
const ELSEWHERE = "Pacific/Marquesas";

/** Builds what everybody uses who has to do with schedules. */
export function createSchedules(parts: ScheduleParts): Schedules {
  const { store, occurrences, clock, zones } = parts;

  function read(when: string, zone: string, now: number): When {
    const found = readWhen(when, { now, zone });
    if (found.kind === "refused") throw invalid(found.reason);
    if (found.kind === "ambiguous") throw new AmbiguousSchedule(found.question, found.choices);
    return found;
  }

  function tell(action: ScheduleNews["action"], id: string, { owner, description }: Definition): void {
    parts.onChange?.({ workspaceId: owner, action, id, description });
  }

  /** Reads words for a person, in their zone; asks for it when it is not known and matters. */
  async function readFor(
    owner: WorkspaceId,
    when: string,
    given: string | undefined,
    now: number,
    fallback?: string,
  ): Promise<When> {
    if (given !== undefined) return read(when, zoneNamed(given), now);
    const own = fallback ?? (await zones.find(owner));
    if (own !== undefined) return read(when, own, now);
    const here = read(when, "UTC", now);
    const there = read(when, ELSEWHERE, now);
    const fires = (each: When) => occurrences.next(each.rule, each.zone, now, SHOWN_FIRES).join();
    if (fires(here) === fires(there)) return here;
    const { question, choices } = askZone(when);
    throw new AmbiguousSchedule(question, choices);
  }

  function firstFire(definition: Definition, now: number): number {
    const offset = offsetOf(definition);
    const first = occurrences.after(definition.rule, definition.zone, now - offset);
    if (first === undefined) throw invalid("It would never fire");
    const [one, two] = occurrences.next(definition.rule, definition.zone, now, 2);
    const { minIntervalMs } = parts.limits();
    if (one !== undefined && two !== undefined && two - one < minIntervalMs)
      throw invalid(
        `It would fire every ${(two - one) / 1000} s; the shortest interval here is ${minIntervalMs / 1000} s`,
      );
    return first + offset;
  }

  function view({ id, definition: text, due, failures }: StoredSchedule): ScheduleView | undefined {
    const definition = unpackDefinition(text);
    if (definition === undefined) return undefined;
    const { rule, zone, status } = definition;
    const offset = offsetOf(definition);
    const next =
      status !== "active" || due === undefined
        ? []
        : [due, ...occurrences.next(rule, zone, due - offset, SHOWN_FIRES - 1).map((at) => at + offset)];
    return {
      ...definition,
      id,
      kind: rule.kind,
      rule: showRule(rule),
      words: describeRule(rule, zone),
      next,
      failures,
    };
  }

  async function findStored(id: string, owner: WorkspaceId | undefined) {
    const stored = await store.find(id);
    const definition = stored === undefined ? undefined : unpackDefinition(stored.definition);
    if (stored === undefined || definition === undefined) return undefined;
    return owner !== undefined && definition.owner !== owner ? undefined : { stored, definition };
  }

  async function edited(definition: Definition, change: ScheduleChange, now: number): Promise<Definition> {
    const { when, zone, description, catchUp, maxLatenessMs, paused } = change;
    let next = definition;
    if (when !== undefined) {
      const found = await readFor(definition.owner, when, zone, wholeSecond(now), definition.zone);
      next = { ...next, rule: found.rule, zone: found.zone, spreadMs: found.spreadMs };
    } else if (zone !== undefined) next = { ...next, zone: zoneNamed(zone) };
    if (description !== undefined) next = { ...next, description: checkDescription(description) };
    if (catchUp !== undefined) next = { ...next, catchUp };
    if (maxLatenessMs !== undefined) next = { ...next, maxLatenessMs: maxLatenessMs ?? undefined };
    if (paused !== undefined && (paused || next.status !== "active"))
      next = { ...next, status: paused ? "paused" : "active" };
    // A new rule is a new beginning for a schedule that had ended.
    if (when !== undefined && next.status === "ended") next = { ...next, status: "active" };
    return next;
  }

  /** When an edited schedule fires next. A slot that is due already is fired first, as it was planned. */
  function dueAfterEdit(
    before: { readonly stored: StoredSchedule; readonly definition: Definition },
    after: Definition,
    change: ScheduleChange,
    now: number,
  ): number | "same" | undefined {
    if (after.status === "ended") return "same";
    if (after.status !== "active") return undefined;
    const { due } = before.stored;
    if (before.definition.status !== "active") return firstFire(after, now);
    const moved =
      change.when !== undefined || change.zone !== undefined || offsetOf(before.definition) !== offsetOf(after);
    const first = firstFire(after, now);
    return !moved || (due !== undefined && due <= now) ? "same" : first;
  }

  const schedules: Schedules = {
    preview({ when, zone, from = clock.now() }) {
      const found = read(when, zoneNamed(zone), from);
      const next = occurrences.next(found.rule, found.zone, from, SHOWN_FIRES);
      return {
        kind: found.rule.kind,
        rule: showRule(found.rule),
        words: describeRule(found.rule, found.zone),
        zone: found.zone,
        next,
        lines: showFires(next, found.zone, from),
      };
    },

    async add(request) {
      const { owner, conversationId, catchUp = "once", maxLatenessMs, operation } = request;
      const now = clock.now();
      const found = await readFor(owner, request.when, request.zone, wholeSecond(now));
      const definition: Definition = {
        status: "active",
        rule: found.rule,
        zone: found.zone,
        spreadMs: found.spreadMs,
        catchUp,
        maxLatenessMs,
        createdAt: now,
        owner,
        conversationId,
        description: checkDescription(request.description),
      };
      const { maxPerPerson: most } = parts.limits();
      const due = firstFire(definition, now);
      await parts.touch(conversationId, owner, now);
      const id = await store.add({
        conversationId,
        owner,
        definition: packDefinition(definition),
        due,
        operation: `${owner} ${operation}`,
        most,
      });
      if (id === "full")
        throw new InvalidInput(`You have ${most} schedules already; delete one first`, { code: "too_many_schedules" });
      const added = await schedules.find(id);
      if (added === undefined) throw new Error(`The schedule ${id} was deleted while it was stored`);
      tell("created", id, definition);
      return added;
    },

    async find(id, owner) {
      const found = await findStored(id, owner);
      return found === undefined ? undefined : view(found.stored);
    },

    async list(owner) {
      const views = (await store.list(owner)).map(view).filter((each) => each !== undefined);
      const order = (each: ScheduleView) => each.next[0] ?? Number.MAX_SAFE_INTEGER;
      return views.toSorted((one, other) => order(one) - order(other) || (one.id < other.id ? -1 : 1));
    },

    async change(id, change, owner) {
      const now = clock.now();
      for (let edits = 0; edits < MAX_EDITS; edits++) {
        const found = await findStored(id, owner);
        if (found === undefined) return undefined;
        const after = await edited(found.definition, change, now);
        const reply = await store.change(found.stored, after.owner, {
          definition: packDefinition(after),
          due: dueAfterEdit(found, after, change, now),
        });
        if (reply === "gone") return undefined;
        if (reply === "changed") {
          tell("changed", id, after);
          return schedules.find(id, owner);
        }
      }
      throw new Error(`The schedule ${id} is changed by somebody else all the time`);
    },

    async delete(id, owner) {
      for (;;) {
        const found = await findStored(id, owner);
        if (found === undefined) return false;
        const reply = await store.change(found.stored, found.definition.owner, "delete");
        if (reply === "changed") tell("deleted", id, found.definition);
        if (reply !== "stale") return reply === "changed";
      }
    },

    async run(id, operation, options = {}) {
      const found = await findStored(id, options.owner);
      if (found === undefined) return undefined;
      const { definition } = found;
      const conversationId = options.conversation ?? definition.conversationId;
      const messageId = `sched:${found.stored.id}:run:${operation}` as MessageId;
      await parts.admit({
        id: messageId,
        conversationId,
        workspaceId: definition.owner,
        text: scheduledText(definition.description),
        at: clock.now(),
      });
      return { messageId, conversationId };
    },

    async history(id, owner) {
      const found = await findStored(id, owner);
      if (found === undefined) return undefined;
      const slots = readLedger(await store.ledger(id));
      return Promise.all(
        slots.map(async (slot): Promise<SlotView> => {
          const { run } = slot;
          return { ...slot, run: run === undefined ? undefined : await withDelivery(slot.slot, run, found) };
        }),
      );
    },

    async confirm(shown) {
      const runs = readLedger(await store.ledger(shown.id)).flatMap(({ run }) => run?.runId ?? []);
      const tokens = await parts.tokensOf(shown.conversationId, runs.slice(0, 5));
      return confirmation(shown, tokens, clock.now());
    },

    zoneOf: (owner) => zones.find(owner),

    setZone: (owner, zone) => zones.set(owner, zoneNamed(zone)),
  };
  return schedules;

  async function withDelivery(
    slot: number,
    run: Omit<SlotRun, "delivered">,
    { stored, definition }: { readonly stored: StoredSchedule; readonly definition: Definition },
  ): Promise<SlotRun> {
    const message = slotMessageId(stored.id, slot, run.attempt);
    const status = await parts.messageStatus(definition.conversationId, message);
    const delivered = (status?.answers ?? []).map(({ deliveryId, postedId, deliveredAt }) => ({
      deliveryId,
      postedId,
      at: deliveredAt,
    }));
    return { ...run, delivered };
  }
}

/** Schedules are looked at once a second: what begins between two looks would always be late. */
function wholeSecond(now: number): number {
  return Math.ceil(now / 1000) * 1000;
}

function zoneNamed(text: string): string {
  const zone = findZone(text);
  if (zone === undefined) throw invalid(unknownZone(text));
  return zone;
}

function checkDescription(text: string): string {
  const description = text.toWellFormed().trim();
  if (description === "") throw invalid("Say what is to be done");
  if (description.length > MAX_DESCRIPTION_CHARS)
    throw invalid(`The description has ${description.length} characters; at most ${MAX_DESCRIPTION_CHARS} are allowed`);
  return description;
}

function invalid(reason: string): InvalidInput {
  return new InvalidInput(reason, { code: "invalid_schedule" });
}
