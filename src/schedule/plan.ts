import type { CatchUp } from "../kernel/schedules.ts";
import type { Occurrences } from "./occurrences.ts";
import type { Rule } from "./rule.ts";

/** A slot that is not fired, or several of them. */
export interface SkippedSlots {
  readonly slot: number;
  readonly why: "missed" | "caught-up" | "too-late";
  readonly count: number;
}

/** What is to happen with a schedule that is due. */
export interface Plan {
  readonly fire: readonly number[];
  readonly skip: readonly SkippedSlots[];
  readonly next: number | undefined;
}

/** A slot this late is not missed: it is fired whatever the policy says. Taking over from a dead process takes seconds. */
const GRACE_MS = 60_000;
/** At most this many missed slots are fired by `all`; older ones are skipped. */
const CATCH_UP_LIMIT = 10;
const LISTED = 20;
const ENUMERATED = 1_000;

/**
 * Decides which of the slots from `due` to `now` are fired: those of the last minute always, of older ones none, the
 * latest (unless a slot of the last minute stands for it), or the latest ten, and none that is later than allowed. Pure.
 */
export function planFires(
  given: {
    readonly rule: Rule;
    readonly zone: string;
    readonly offsetMs: number;
    readonly due: number;
    readonly now: number;
    readonly catchUp: CatchUp;
    readonly maxLatenessMs: number | undefined;
  },
  occurrences: Pick<Occurrences, "after">,
): Plan {
  const { rule, zone, offsetMs, due, now, catchUp, maxLatenessMs } = given;
  const after = (slot: number) => {
    const found = occurrences.after(rule, zone, slot - offsetMs);
    return found === undefined ? undefined : found + offsetMs;
  };
  const { slots, unlisted, next } = slotsUntil(due, now, after);
  const inTime = slots.filter((slot) => maxLatenessMs === undefined || now - slot <= maxLatenessMs);
  const late = slots.filter((slot) => !inTime.includes(slot));
  const fresh = inTime.filter((slot) => now - slot <= GRACE_MS);
  const missed = inTime.filter((slot) => now - slot > GRACE_MS);
  const room = catchUp === "skip" ? 0 : catchUp === "once" ? (fresh.length === 0 ? 1 : 0) : CATCH_UP_LIMIT;
  const caught = room === 0 ? [] : missed.slice(-room);
  const passed = missed.slice(0, missed.length - caught.length);
  return {
    fire: [...caught, ...fresh],
    skip: [
      ...(unlisted > 0 ? [{ slot: due, why: "missed", count: unlisted } as const] : []),
      ...listed(late, "too-late"),
      ...listed(passed, catchUp === "once" ? "caught-up" : "missed"),
    ],
    next,
  };
}

/** Every slot up to now, or the latest ones when there are very many. */
function slotsUntil(
  due: number,
  now: number,
  after: (slot: number) => number | undefined,
): { readonly slots: number[]; readonly unlisted: number; readonly next: number | undefined } {
  const slots: number[] = [];
  let unlisted = 0;
  let next: number | undefined = due;
  while (next !== undefined && next <= now) {
    slots.push(next);
    if (slots.length === ENUMERATED && unlisted === 0) {
      const apart = (next - due) / (ENUMERATED - 1);
      const resumeAt = now - Math.max(GRACE_MS, apart * (ENUMERATED / 4));
      if (resumeAt > next) {
        // Nobody waits for thousands of computations to learn that nothing ran for days.
        unlisted = slots.length + Math.round((resumeAt - next) / apart);
        slots.length = 0;
        next = after(resumeAt);
        continue;
      }
    }
    next = after(next);
  }
  return { slots, unlisted, next };
}

function listed(slots: readonly number[], why: SkippedSlots["why"]): SkippedSlots[] {
  const single = slots.slice(-LISTED);
  const rest = slots.length - single.length;
  const [first] = slots;
  return [
    ...(rest > 0 && first !== undefined ? [{ slot: first, why, count: rest }] : []),
    ...single.map((slot) => ({ slot, why, count: 1 })),
  ];
}

/** By how much this schedule's fires are moved within its spread: always the same, and evenly over many schedules. */
export function spreadOffset(seed: string, spreadMs: number): number {
  if (spreadMs <= 0) return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at++) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
  // The low digits of this hash are uneven over short texts.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return Math.floor(((hash >>> 0) % spreadMs) / 1000) * 1000;
}
