import type { SlotRun, SlotView } from "../kernel/schedules.ts";

/** A line for a slot that was put in its conversation. */
export const ranLine = (slot: number, at: number): string => `r${time(slot)},${time(at)}`;
/** A line for slots that were not fired, and why. */
export const skippedLine = (slot: number, at: number, why: string, count: number): string =>
  `s${time(slot)},${time(at)},${why},${count}`;
/** A line for the end of a slot's run. */
export const outcomeLine = (slot: number, at: number, end: string, runId: string, attempt: number): string =>
  `o${time(slot)},${time(at)},${end},${runId},${attempt}`;

/** A slot of the ledger; delivery is looked up elsewhere. */
export type LedgerSlot = Omit<SlotView, "run"> & { readonly run: Omit<SlotRun, "delivered"> | undefined };

/** Reads a ledger, newest line first, into slots, newest first. Lines that cannot be read are left out. */
export function readLedger(lines: readonly string[]): LedgerSlot[] {
  const outcomes = new Map<number, Omit<SlotRun, "delivered">>();
  const slots: LedgerSlot[] = [];
  for (const line of lines) {
    const [slotText = "", atText = "", third = "", fourth = "", fifth = ""] = line.slice(1).split(",");
    const slot = Number.parseInt(slotText, 36);
    const at = Number.parseInt(atText, 36);
    if (Number.isNaN(slot) || Number.isNaN(at)) continue;
    const common = { slot, at, lateMs: Math.max(0, at - slot), why: undefined, count: 1 };
    if (line.startsWith("o")) {
      // The newest line counts: a slot that was tried again has several.
      if (!outcomes.has(slot)) outcomes.set(slot, { status: endOf(third), runId: fourth, attempt: Number(fifth) });
    } else if (line.startsWith("r")) {
      // A slot that is tried again has a line for each try; when it was fired first is what counts.
      const again = slots.findIndex((each) => each.slot === slot && each.did === "ran");
      if (again >= 0) slots.splice(again, 1);
      slots.push({
        ...common,
        did: "ran",
        run: outcomes.get(slot) ?? { status: "waiting", runId: undefined, attempt: 1 },
      });
    } else if (line.startsWith("s"))
      slots.push({ ...common, did: "skipped", why: WHY[third] ?? third, count: Number(fourth) || 1, run: undefined });
  }
  return slots;
}

const WHY: Readonly<Record<string, string>> = {
  missed: "missed while nothing was running",
  "caught-up": "missed while nothing was running; a later one stands for it",
  "too-late": "later than its maximum lateness",
  full: "too many messages were waiting in the conversation",
};

function endOf(text: string): SlotRun["status"] {
  return text === "failed" || text === "stopped" || text === "silent" ? text : "done";
}

function time(ms: number): string {
  return Math.round(ms).toString(36);
}
