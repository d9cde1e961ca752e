import { InvalidInput } from "../kernel/errors.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import { AmbiguousSchedule, type ScheduleChange, type Schedules, type SlotView } from "../kernel/schedules.ts";
import { readWhen } from "./when.ts";
import { showLocal } from "./words.ts";

/** What the command is told. */
export interface ScheduleCall {
  readonly message: InboundMessage;
  /** What follows `/schedule`. */
  readonly rest: string;
  readonly run: { readonly id: string };
}

type Answer = string | { readonly text: string; readonly choices: readonly string[] };

const HELP = [
  "- /schedule add <when> | <what>, for example: /schedule add weekdays at 9am | sum up my mail",
  "- /schedule list; /schedule show <id>; /schedule history <id>",
  "- /schedule run <id> does it once now, here",
  "- /schedule pause <id>; /schedule resume <id>; /schedule delete <id>",
  "- /schedule edit <id> <new when> or /schedule edit <id> | <new what>, or both",
  "- /schedule zone Europe/Madrid sets your time zone",
].join("\n");

/** Does what people write behind `/schedule`. Repeating the same call has the same result. */
export function createScheduleCommand(parts: { readonly schedules: Schedules; readonly clock: Clock }) {
  const { schedules, clock } = parts;

  return async function command(call: ScheduleCall): Promise<Answer> {
    const [, verb = "list", rest = ""] = /^(\S+)?\s*([\s\S]*)$/.exec(call.rest) ?? [];
    try {
      return await dispatch(verb.toLowerCase(), rest.trim(), call);
    } catch (error) {
      if (error instanceof AmbiguousSchedule) return ambiguous(error, verb.toLowerCase(), rest.trim());
      if (error instanceof InvalidInput) return `${error.message.replace(/[.!?]$/, "")}.`;
      throw error;
    }
  };

  async function dispatch(verb: string, rest: string, { message, run }: ScheduleCall): Promise<Answer> {
    const owner = message.workspaceId;
    const [id = "", ...words] = rest.split(/\s+/);
    switch (verb) {
      case "list":
        return list(owner);
      case "add":
        return add(rest, message, run.id);
      case "show": {
        const found = await schedules.find(id, owner);
        return found === undefined ? unknown(id) : schedules.confirm(found);
      }
      case "run": {
        const ran = await schedules.run(id, run.id, { owner, conversation: message.conversationId });
        return ran === undefined ? unknown(id) : `Rehearsing ${id} here, once. Its plan stays as it is.`;
      }
      case "pause":
      case "resume":
        return change(id, { paused: verb === "pause" }, owner);
      case "edit":
        return change(id, readEdit(words.join(" ")), owner);
      case "delete":
      case "remove":
        return (await schedules.delete(id, owner)) ? `The schedule ${id} is deleted.` : unknown(id);
      case "history":
        return history(id, owner);
      case "zone":
      case "tz":
        await schedules.setZone(owner, rest);
        return `Your time zone is ${(await schedules.zoneOf(owner)) ?? rest}. Schedules that exist keep theirs.`;
      default:
        return `What can be done with schedules:\n${HELP}`;
    }
  }

  async function list(owner: InboundMessage["workspaceId"]): Promise<string> {
    const all = await schedules.list(owner);
    if (all.length === 0) return `You have no schedules. Make one:\n${HELP}`;
    const lines = all.map((each) => {
      const [next] = each.next;
      const when = next === undefined ? each.status : `next ${showLocal(next, each.zone)}`;
      return `- ${each.id}: ${each.description} (${each.words}, ${each.zone}; ${when})`;
    });
    return ["Your schedules:", ...lines].join("\n");
  }

  async function add(rest: string, message: InboundMessage, operation: string): Promise<string> {
    const given = splitWhen(rest, clock.now());
    if (given === undefined) return `Say when and what, for example: /schedule add weekdays at 9am | sum up my mail`;
    const { workspaceId: owner, conversationId } = message;
    const added = await schedules.add({ owner, conversationId, operation, ...given });
    return schedules.confirm(added);
  }

  async function change(id: string, wanted: ScheduleChange, owner: InboundMessage["workspaceId"]): Promise<string> {
    const changed = await schedules.change(id, wanted, owner);
    return changed === undefined ? unknown(id) : schedules.confirm(changed);
  }

  async function history(id: string, owner: InboundMessage["workspaceId"]): Promise<string> {
    const [found, slots] = await Promise.all([schedules.find(id, owner), schedules.history(id, owner)]);
    if (found === undefined || slots === undefined) return unknown(id);
    if (slots.length === 0) return `The schedule ${id} has not fired yet.`;
    return [`Schedule ${id}:`, ...slots.slice(0, 20).map((slot) => `- ${describeSlot(slot, found.zone)}`)].join("\n");
  }
}

/** One line of a ledger in words. Pure. */
export function describeSlot(slot: SlotView, zone: string): string {
  const when = showLocal(slot.slot, zone);
  const several = slot.count > 1 ? ` and ${slot.count - 1} more` : "";
  if (slot.did === "skipped") return `${when}${several}: skipped, ${slot.why ?? "no reason noted"}`;
  const late = slot.lateMs < 1000 ? "on time" : `${Math.round(slot.lateMs / 1000)} s late`;
  const { run } = slot;
  if (run === undefined) return `${when}: ran, ${late}`;
  const status = run.status === "waiting" ? "under way" : run.status;
  const delivered =
    run.delivered.length > 0 ? `, delivered as ${run.delivered.map((each) => each.postedId).join(", ")}` : "";
  return `${when}: ran, ${late}, ${status}${run.attempt > 1 ? ` at try ${run.attempt}` : ""}${delivered}`;
}

/** Splits `<when> | <what>`; without the bar the longest beginning that says when. Pure. */
export function splitWhen(
  text: string,
  now: number,
): { readonly when: string; readonly description: string } | undefined {
  const bar = text.indexOf("|");
  if (bar >= 0) return both(text.slice(0, bar), text.slice(bar + 1));
  const quoted = /^["“]([^"”]+)["”]\s+([\s\S]+)$/.exec(text);
  if (quoted?.[1] !== undefined && quoted[2] !== undefined) return both(quoted[1], quoted[2]);
  // When everything says when, nothing says what.
  if (readWhen(text, { now, zone: "UTC" }).kind === "rule") return undefined;
  const words = text.split(/\s+/);
  let unclear: { readonly when: string; readonly description: string } | undefined;
  for (let count = Math.min(words.length - 1, MAX_WHEN_WORDS); count > 0; count--) {
    const when = words
      .slice(0, count)
      .join(" ")
      .replace(/[,:;]$/, "");
    const split = both(
      when,
      words
        .slice(count)
        .join(" ")
        .replace(/^(?:to|-|:)\s+/, ""),
    );
    const { kind } = readWhen(when, { now, zone: "UTC" });
    if (kind === "rule") return split;
    if (kind === "ambiguous") unclear ??= split;
  }
  return unclear;
}

const MAX_WHEN_WORDS = 14;

function both(when: string, description: string) {
  const given = { when: when.trim(), description: description.trim() };
  return given.when === "" || given.description === "" ? undefined : given;
}

function readEdit(text: string): ScheduleChange {
  const bar = text.indexOf("|");
  const when = (bar < 0 ? text : text.slice(0, bar)).trim();
  const description = bar < 0 ? "" : text.slice(bar + 1).trim();
  if (when === "" && description === "")
    throw new InvalidInput("Say what is to change: /schedule edit <id> <new when>, or | <new what>");
  return { ...(when === "" ? {} : { when }), ...(description === "" ? {} : { description }) };
}

/** The same command again, once for each meaning. */
function ambiguous({ question, choices }: AmbiguousSchedule, verb: string, rest: string): Answer {
  if (verb === "edit") {
    const [id = "", ...words] = rest.split(/\s+/);
    const bar = words.join(" ").indexOf("|");
    const what =
      bar < 0
        ? ""
        : ` | ${words
            .join(" ")
            .slice(bar + 1)
            .trim()}`;
    return { text: question, choices: choices.map((choice) => `/schedule edit ${id} ${choice}${what}`) };
  }
  const description = splitWhen(rest, 0)?.description ?? rest;
  return { text: question, choices: choices.map((choice) => `/schedule add ${choice} | ${description}`) };
}

function unknown(id: string): string {
  return id === "" ? "Say which schedule: /schedule list shows their ids." : `You have no schedule ${id.slice(0, 40)}.`;
}
