import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { CatchUp } from "../kernel/schedules.ts";
import { parseRuleText, ruleText, type Rule } from "./rule.ts";

/** A schedule as it is stored. */
export interface Definition {
  readonly status: "active" | "paused" | "disabled" | "ended";
  readonly rule: Rule;
  readonly zone: string;
  readonly catchUp: CatchUp;
  readonly maxLatenessMs: number | undefined;
  readonly spreadMs: number;
  readonly createdAt: number;
  readonly owner: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly description: string;
}

const LETTERS = { active: "a", paused: "p", disabled: "d", ended: "e" } as const;
const CATCH_UP = { skip: "s", once: "1", all: "a" } as const;

/** The letter that stands for a status, first in every definition: scripts change it there. */
export const statusLetter = (status: Definition["status"]): string => LETTERS[status];

/** A definition in few characters; the description comes last, because it may hold anything. */
export function packDefinition(definition: Definition): string {
  const { status, catchUp, maxLatenessMs, spreadMs, createdAt, rule, zone, conversationId, owner } = definition;
  const numbers = [createdAt, spreadMs, maxLatenessMs ?? -1].map((ms) => seconds(ms));
  // Most are 0 and unset: nothing is written for them.
  const head = `${LETTERS[status]}${CATCH_UP[catchUp]}${numbers.join(",").replace(/,0,-1$/, "")}`;
  const own = conversationId.endsWith(owner) ? `=${owner.length}` : `+${owner}`;
  return [head, ruleText(rule), zone, conversationId, own, definition.description].join("\n");
}

/** Reads what {@link packDefinition} wrote; undefined for damage. */
export function unpackDefinition(text: string): Definition | undefined {
  const [head = "", rules = "", zone = "", conversation = "", own = "", ...description] = text.split("\n");
  const status = (Object.keys(LETTERS) as (keyof typeof LETTERS)[]).find((each) => LETTERS[each] === head[0]);
  const catchUp = (Object.keys(CATCH_UP) as (keyof typeof CATCH_UP)[]).find((each) => CATCH_UP[each] === head[1]);
  const rule = parseRuleText(rules);
  if (status === undefined || catchUp === undefined || rule === undefined || !/^[=+]/.test(own)) return undefined;
  const [createdAt = 0, spreadMs = 0, lateness = -1] = head
    .slice(2)
    .split(",")
    .map((each) => Number.parseInt(each, 36) * 1000);
  const owner = own.startsWith("=") ? conversation.slice(-Number(own.slice(1))) : own.slice(1);
  return {
    status,
    rule,
    zone,
    catchUp,
    maxLatenessMs: lateness < 0 ? undefined : lateness,
    spreadMs,
    createdAt,
    owner: owner as WorkspaceId,
    conversationId: conversation as ConversationId,
    description: description.join("\n"),
  };
}

function seconds(ms: number): string {
  return ms < 0 ? "-1" : Math.round(ms / 1000).toString(36);
}
