/**
 * Branded identifiers. A plain string becomes an id in exactly one place, its parser here; after that the type says
 * it was checked and nobody checks it again.
 */
declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** One person's isolated state: memory, settings, credentials, budgets. */
export type WorkspaceId = Id<"workspace">;
/** Where messages live: a direct chat, a thread, a channel. `slack:C042:171.5`, `web:4f9a…`, or an API caller's own. */
export type ConversationId = Id<"conversation">;
/** An incoming message; unique within its conversation and the key by which a redelivery is recognised. */
export type MessageId = Id<"message">;
/** One goal pursued to its end. Stable over every attempt of the run. */
export type RunId = Id<"run">;
/** One outgoing message, always `runId:step:part`; a repeated send carries the same id. */
export type DeliveryId = Id<"delivery">;
/** A durable mailbox of the engine, `kind/name`. */
export type LaneId = Id<"lane">;

/** The longest id accepted from outside, in UTF-16 units; Redis keys are built from ids and stay readable below it. */
export const MAX_ID_LENGTH = 200;

// Control characters and spaces would make keys, logs and URLs ambiguous; braces would move a key to another slot.
const FORBIDDEN_IN_ID = /[\p{Cc}\p{Cs}\s{}]/u;

/** An id from outside was not usable; `message` says which and why. */
export class InvalidId extends Error {
  override readonly name = "InvalidId";
}

function parseId<T extends string>(what: string, text: string): T {
  if (text.length === 0) throw new InvalidId(`${what} is empty`);
  if (text.length > MAX_ID_LENGTH)
    throw new InvalidId(`${what} has ${text.length} characters; at most ${MAX_ID_LENGTH} are allowed`);
  if (FORBIDDEN_IN_ID.test(text)) throw new InvalidId(`${what} contains white space, a control character or a brace`);
  return text as T;
}

/** Throws {@link InvalidId} when empty, longer than {@link MAX_ID_LENGTH}, or holding space, control or brace characters. */
export const parseWorkspaceId = (text: string): WorkspaceId => parseId("user_id", text);
/** Throws {@link InvalidId}; see {@link parseWorkspaceId}. */
export const parseConversationId = (text: string): ConversationId => parseId("conversation_id", text);
/** Throws {@link InvalidId}; see {@link parseWorkspaceId}. */
export const parseMessageId = (text: string): MessageId => parseId("message_id", text);
/** Throws {@link InvalidId}; see {@link parseWorkspaceId}. */
export const parseRunId = (text: string): RunId => parseId("run id", text);

/** The id of part `part` of what step `step` of a run says. Equal inputs give the equal id, on every attempt. */
export function deliveryId(runId: RunId, step: string, part = 0): DeliveryId {
  return `${runId}:${step}:${part}` as DeliveryId;
}

/** The id of a further part of a message that leaves in several; part 0 has the message's own. */
export function partId(id: DeliveryId, part: number): DeliveryId {
  return part === 0 ? id : (`${id.replace(/:0$/, "")}:${part}` as DeliveryId);
}

/** The lane of `kind` with this name, for instance `chat/web:4f9a`. */
export function laneId(kind: string, name: string): LaneId {
  return `${kind}/${name}` as LaneId;
}

/** Splits a lane id into its kind and its name. */
export function laneParts(lane: LaneId): { readonly kind: string; readonly name: string } {
  const slash = lane.indexOf("/");
  return { kind: lane.slice(0, slash), name: lane.slice(slash + 1) };
}
