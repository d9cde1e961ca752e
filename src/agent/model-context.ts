import type { ChatMessage, ImagePart } from "../models/contract.ts";
import { IMAGE_TOKENS } from "../models/estimate.ts";
import { wireUserName } from "../models/wire-request.ts";
import type { Attachment, InboundMessage } from "../kernel/messages.ts";
import { listNames } from "./outcomes.ts";
import { shortenResults } from "./shorten-results.ts";
import { contentOf, partsOf, type RunRecord, type Turn } from "./runs.ts";

/**
 * What the model gets to read at most. The number of messages limits what came before the current run: a run that
 * forgot its own steps would do them again. The tokens limit everything, the system prompt included.
 */
export interface ContextLimits {
  readonly maxMessages: number;
  readonly maxTokens: number;
}

/** Stands in for the result of a call that has none: the provider refuses a call without one. */
const INTERRUPTED = "Interrupted; the outcome is unknown.";
const OMITTED = "(This earlier result was left out to stay within the context limit.)";

/**
 * The transcript for the next model call: the system prompt, as much history as fits, then the current run. Valid for
 * the provider by construction: every tool call is followed by exactly one result, a call and its results stay
 * together, ids are unique, the first message after the system prompt is a person's. Of the current run, what people
 * wrote and the last turn are always there; its earlier turns go only when there are too many tokens, and then, when
 * that is not enough, its last results are cut.
 */
export function buildContext(
  system: string,
  history: readonly RunRecord[],
  current: RunRecord,
  limits: ContextLimits,
  countTokens: (text: string) => number,
  /** Images of the current run, by their upload; earlier ones are only named. */
  images: ReadonlyMap<string, ImagePart> = new Map(),
): ChatMessage[] {
  const weigh = (group: Group) => weighed(group, countTokens);
  const head: ChatMessage = { role: "system", content: clean(system) };
  const room = { messages: limits.maxMessages, tokens: limits.maxTokens - messageTokens(head, countTokens) };
  const whole = groupsOf(current, images);
  const left = takeAway(room, whole.map(weigh));
  const fits = left.tokens >= 0;
  // Where the run itself has to lose something, nothing older takes the place.
  const now = fits ? whole : fitLastTurn(fitCurrent(whole, left, weigh), room.tokens, weigh, countTokens);
  const earlier = fits ? fitHistory(history, left, weigh) : [];
  return [head, ...withOwnIds([...earlier, ...now])];
}

/** Messages that must not be separated: a person's message, or a turn with all its results. */
interface Group {
  readonly kind: "message" | "turn";
  readonly messages: readonly ChatMessage[];
}

/** How much of the room something takes, or how much there is. */
export interface Size {
  readonly messages: number;
  readonly tokens: number;
}

/** What a run takes when a model reads it whole. */
export function weighRun(run: RunRecord, countTokens: (text: string) => number): Size {
  const sizes = groupsOf(run).map((group) => weighed(group, countTokens));
  return { messages: sum(sizes.map((size) => size.messages)), tokens: sum(sizes.map((size) => size.tokens)) };
}

function groupsOf(run: RunRecord, images?: ReadonlyMap<string, ImagePart>): Group[] {
  const groups = partsOf(run).map((part): Group => {
    if (part.kind === "turn") return { kind: "turn", messages: turnMessages(part.turn) };
    return { kind: "message", messages: [userMessage(part.message, images)] };
  });
  if (run.ended?.text === undefined) return groups;
  // What people saw at the end and the model did not write, such as an error or a stop, or wrote only in part.
  const seen: Group = { kind: "turn", messages: [{ role: "assistant", content: clean(run.ended.text) }] };
  const last = groups.at(-1);
  const replaced = run.ended.end === "done" && last?.kind === "turn" && last.messages.length === 1;
  return [...(replaced ? groups.slice(0, -1) : groups), seen];
}

const MAX_NAME = 80;

function userMessage(given: InboundMessage, images?: ReadonlyMap<string, ImagePart>): ChatMessage {
  const message = images === undefined ? given : withoutLostImages(given, images);
  const content = clean(contentOf(message));
  const seen = (message.attachments ?? []).flatMap((file) => imageOf(file, images) ?? []);
  return { ...speaking(message, content), ...(seen.length === 0 ? {} : { images: seen }) };
}

function imageOf(file: Attachment, images?: ReadonlyMap<string, ImagePart>): ImagePart | undefined {
  return file.state === "shown" && file.upload !== undefined ? images?.get(file.upload) : undefined;
}

/** A model that is told of an image and gets none would make one up. */
function withoutLostImages(message: InboundMessage, images: ReadonlyMap<string, ImagePart>): InboundMessage {
  if (message.attachments === undefined) return message;
  const attachments = message.attachments.map((file) =>
    file.state === "shown" && imageOf(file, images) === undefined
      ? { ...file, state: "failed" as const, reason: "it is no longer kept" }
      : file,
  );
  return { ...message, attachments };
}

function speaking(message: InboundMessage, content: string): { role: "user"; content: string; name?: string } {
  if (message.authorName === undefined) return { role: "user", content };
  const name = clean(message.authorName).replace(/\s+/g, " ").trim().slice(0, MAX_NAME);
  // Not every letter may stand in the field for a name; a speaker who would lose some is named in the text.
  return { role: "user", content: wireUserName(name) === name ? content : `${name}: ${content}`, name };
}

function turnMessages({ reply, results }: Turn): ChatMessage[] {
  const content = clean(reply.text);
  if (reply.toolCalls.length === 0) return [{ role: "assistant", content }];
  const toolCalls = reply.toolCalls.map(({ id, name, args }) => ({ id, name: fittingName(name), args: clean(args) }));
  return [
    { role: "assistant", content, toolCalls },
    ...toolCalls.map((call, index): ChatMessage => ({
      role: "tool",
      callId: call.id,
      content: clean(results[index]?.content ?? INTERRUPTED),
    })),
  ];
}

/** A name no provider refuses: one odd name a model made up would spoil every later request of the conversation. */
function fittingName(name: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name;
  return name.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 64) || "unnamed";
}

/** Half characters and NUL make some servers refuse the whole request. */
function clean(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes("\0") ? whole.replaceAll("\0", "\uFFFD") : whole;
}

/**
 * Leaves out old results of the current run, then whole turns, oldest first, until it fits; the last turn stays. `over`
 * is the room that is left, below zero.
 */
function fitCurrent(groups: readonly Group[], over: Size, weigh: (group: Group) => Size): Group[] {
  const lastTurn = groups.findLastIndex((group) => group.kind === "turn");
  let left = over;
  const shrunk = groups.map((group, index) => {
    if (left.tokens >= 0 || group.kind === "message" || index === lastTurn) return group;
    const before = weigh(group);
    const after = withoutResults(group);
    left = takeAway(addTo(left, before), [weigh(after)]);
    return after;
  });
  const gone = new Set<Group>();
  for (const [index, group] of shrunk.entries()) {
    if (left.tokens >= 0) break;
    if (group.kind === "message" || index === lastTurn) continue;
    // The note about it takes some room of its own.
    if (gone.size === 0) left = takeAway(left, [{ messages: 0, tokens: weigh(noteTurn(MAX_NOTE_SAMPLE)).tokens }]);
    gone.add(group);
    left = addTo(left, weigh(group));
  }
  if (gone.size === 0) return shrunk;
  const note = describeGone([...gone]);
  const firstLeft = shrunk.find((group) => group.kind === "turn" && !gone.has(group));
  return shrunk
    .filter((group) => !gone.has(group))
    .map((group) => (group === firstLeft ? withNote(group, note) : group));
}

/** Results of many calls at once may be too much by themselves. */
function fitLastTurn(
  groups: readonly Group[],
  tokens: number,
  weigh: (group: Group) => Size,
  countTokens: (text: string) => number,
): readonly Group[] {
  const excess = sum(groups.map((group) => weigh(group).tokens)) - tokens;
  if (excess <= 0) return groups;
  const last = groups.findLastIndex((group) => group.kind === "turn");
  return groups.map((group, index) =>
    index === last ? { ...group, messages: shortenResults(group.messages, excess, countTokens) } : group,
  );
}

function withoutResults(group: Group): Group {
  return {
    ...group,
    messages: group.messages.map((message) =>
      message.role === "tool" && message.content.length > OMITTED.length ? { ...message, content: OMITTED } : message,
    ),
  };
}

const MAX_NOTE_CHARS = 300;
const MAX_NOTE_SAMPLE = "x".repeat(MAX_NOTE_CHARS);

/** A model that forgot what it did would do it again. */
function describeGone(turns: readonly Group[]): string {
  const names = turns.flatMap(({ messages: [head] }) =>
    head?.role === "assistant" ? (head.toolCalls ?? []).map((call) => call.name) : [],
  );
  const text = `(Earlier in this run, left out here: ${names.length === 0 ? "some text" : listNames(names)}.`;
  return `${text.length < MAX_NOTE_CHARS ? text : `${text.slice(0, MAX_NOTE_CHARS - 2)}…`})\n`;
}

function noteTurn(content: string): Group {
  return { kind: "turn", messages: [{ role: "assistant", content }] };
}

function withNote(group: Group, note: string): Group {
  return {
    ...group,
    messages: group.messages.map((message) =>
      message.role === "assistant" ? { ...message, content: note + message.content } : message,
    ),
  };
}

/** The newest of the history that fits, beginning with a person's message. */
function fitHistory(history: readonly RunRecord[], room: Size, weigh: (group: Group) => Size): Group[] {
  const kept: Group[] = [];
  let left = room;
  fill: for (const run of history.toReversed()) {
    if (run.command) continue;
    for (const group of groupsOf(run).toReversed()) {
      left = takeAway(left, [weigh(group)]);
      if (left.messages < 0 || left.tokens < 0) break fill;
      kept.unshift(group);
    }
  }
  const first = kept.findIndex((group) => group.kind === "message");
  return first < 0 ? [] : kept.slice(first);
}

function weighed({ messages }: Group, countTokens: (text: string) => number): Size {
  return { messages: messages.length, tokens: sum(messages.map((message) => messageTokens(message, countTokens))) };
}

function messageTokens(message: ChatMessage, countTokens: (text: string) => number): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  // Four tokens for the frame around each message, as OpenAI's own counting guide has it.
  const images = message.role === "user" ? (message.images ?? []).length * IMAGE_TOKENS : 0;
  return 4 + images + countTokens(message.content) + sum(calls.map((call) => 4 + countTokens(call.name + call.args)));
}

function takeAway(room: Size, sizes: readonly Size[]): Size {
  return {
    messages: room.messages - sum(sizes.map((size) => size.messages)),
    tokens: room.tokens - sum(sizes.map((size) => size.tokens)),
  };
}

function addTo(room: Size, size: Size): Size {
  return { messages: room.messages + size.messages, tokens: room.tokens + size.tokens };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Models do send calls without an id, or one that was used before; results find their call by it. */
function withOwnIds(groups: readonly Group[]): ChatMessage[] {
  const taken = new Set<string>();
  const own = (id: string): string => {
    let fresh = id;
    for (let number = taken.size + 1; fresh === "" || taken.has(fresh); number++) fresh = `call_${number}`;
    taken.add(fresh);
    return fresh;
  };
  return groups.flatMap(({ messages }): readonly ChatMessage[] => {
    const [head, ...results] = messages;
    if (head?.role !== "assistant" || head.toolCalls === undefined) return messages;
    const toolCalls = head.toolCalls.map((call) => ({ ...call, id: own(call.id) }));
    return [
      { ...head, toolCalls },
      ...results.map((result, index): ChatMessage => {
        const callId = toolCalls[index]?.id;
        return result.role === "tool" && callId !== undefined ? { ...result, callId } : result;
      }),
    ];
  });
}
