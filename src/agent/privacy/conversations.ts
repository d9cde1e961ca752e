import { OutsideError } from "../../kernel/errors.ts";
import type { ConversationId, RunId, WorkspaceId } from "../../kernel/ids.ts";
import { platformOf } from "../../kernel/messages.ts";
import type { Erasure, PersonalData } from "../../kernel/personal-data.ts";
import type { Clock, NewId } from "../../kernel/ports.ts";
import { packLines, unpackLines } from "../../engine/archive.ts";
import { noteLine, parseLines } from "../../engine/journal.ts";
import type { ConversationStore } from "../../store/conversations.ts";
import type { Lanes } from "../../store/lanes.ts";
import { eraseTraces } from "../../store/traces.ts";
import { chatLane } from "../lanes-of.ts";
import { inboundOfRun, messageIdsOf, openQuestions, readMail, readRuns, type RunRecord } from "../runs.ts";
import { settle } from "../settle.ts";
import { stopRun } from "../stop.ts";
import { readConversation, transcriptOf } from "../views.ts";
import { FORGET_QUESTION } from "./forget-command.ts";
import { isSaidBy, messageOf, othersSpeak, redactLines } from "./redact.ts";

export interface ConversationDataParts {
  readonly lanes: Lanes;
  readonly conversations: ConversationStore;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** What a person said and was told, in all conversations they spoke in. */
export function createConversationData(parts: ConversationDataParts): PersonalData {
  const { lanes, conversations } = parts;

  return {
    name: "conversations",

    async collect(person) {
      const persons = new Set([person]);
      const shown = [];
      for (const id of await conversations.allOf(person)) {
        const [{ runs }, facts, lastActivityAt, waiting] = await Promise.all([
          readKept(id, parts),
          conversations.find(id),
          conversations.lastActivity(id),
          lanes.waiting(chatLane(id)),
        ]);
        const shared = isSharedRuns(runs, persons);
        const { owner: _owner, ...settings } = facts ?? { owner: person };
        shown.push({
          id,
          platform: platformOf(id),
          last_activity_at: lastActivityAt === undefined ? null : new Date(lastActivityAt).toISOString(),
          shared_with_others: shared,
          settings,
          messages: transcriptOf(shared ? runs.filter((run) => isOpenedBy(run, persons)) : runs, parts.clock.now()).map(
            ({ id: messageId, role, text, at }) => ({ id: messageId, role, text, at: new Date(at).toISOString() }),
          ),
          waiting: waiting.flatMap((mail) => {
            const message = readMail(mail);
            return message?.workspaceId === person ? [{ id: message.id, text: message.text }] : [];
          }),
        });
      }
      return shown;
    },

    async count(erasure) {
      const persons = new Set(erasure.persons);
      let own = 0;
      let shared = 0;
      let messages = 0;
      for (const id of await idsOf(erasure)) {
        const { runs } = await readKept(id, parts);
        if (isSharedRuns(runs, persons)) shared += 1;
        else own += 1;
        messages += runs.flatMap(inboundOfRun).filter((message) => persons.has(message.workspaceId)).length;
      }
      return { conversations: own, "conversations with others, your part": shared, "messages you wrote": messages };
    },

    async erase(erasure) {
      const persons = new Set(erasure.persons);
      const gone = new Set<ConversationId>();
      const busy: ConversationId[] = [];
      for (const id of await idsOf(erasure)) {
        const outcome = await eraseConversation(id, persons, id === erasure.except, parts);
        if (outcome === "busy") {
          busy.push(id);
          continue;
        }
        if (outcome === "gone") gone.add(id);
        // Its answer has still to be read there.
        if (id === erasure.except) await conversations.clearSettings(id);
        else for (const person of erasure.persons) await conversations.forget(id, person, outcome === "gone");
      }
      await eraseTraces(lanes.redis, lanes.partitions, gone);
      if (busy.length > 0)
        throw new OutsideError(`An answer is under way in ${busy.join(", ")}`, {
          code: "unavailable",
          retry: { kind: "after" },
        });
      return {
        counts: {},
        kept: [
          "The ids of your messages of the last 48 hours, without their text, until they are 48 hours old: " +
            "they keep a message that a platform delivers twice from being answered twice.",
          "The note of this answer, and notices that are on their way to you, for 48 hours.",
          "Answers to API requests that carried an Idempotency-Key, encrypted, for 24 hours.",
          ...(erasure.except === undefined ? [] : ["This conversation, empty, in your list."]),
        ],
      };
    },
  };

  async function idsOf({ persons }: Erasure): Promise<ConversationId[]> {
    const lists = await Promise.all(persons.map((person) => conversations.allOf(person)));
    return [...new Set(lists.flat())];
  }
}

/** A conversation as far as it can be read: a damaged archive must not keep the rest from being deleted. */
async function readKept(id: ConversationId, { lanes }: ConversationDataParts): ReturnType<typeof readConversation> {
  const archive = await lanes.readArchive(chatLane(id));
  if (archive === undefined || readArchived(archive) !== undefined) return readConversation(id, { lanes });
  const state = await lanes.look(chatLane(id));
  const lines = await lanes.readJournal(chatLane(id), state.kind === "run" ? state.token : undefined);
  return { runs: readRuns(parseLines(lines)), state };
}

function isSharedRuns(runs: readonly RunRecord[], persons: ReadonlySet<WorkspaceId>): boolean {
  return othersSpeak(runs.flatMap(inboundOfRun), persons);
}

function isForgetting(run: RunRecord | undefined): boolean {
  return run !== undefined && openQuestions(run).get(FORGET_QUESTION)?.answeredBy !== undefined;
}

function isOpenedBy(run: RunRecord, persons: ReadonlySet<WorkspaceId>): boolean {
  const [first] = inboundOfRun(run);
  return first !== undefined && persons.has(first.workspaceId);
}

/** `own`: the run that asked for it is going on there, and ends it with the conversation's history. */
async function eraseConversation(
  id: ConversationId,
  persons: ReadonlySet<WorkspaceId>,
  own: boolean,
  parts: ConversationDataParts,
): Promise<"gone" | "redacted" | "busy"> {
  const { lanes, conversations } = parts;
  const lane = chatLane(id);
  for (;;) {
    const { runs, state } = await readKept(id, parts);
    const waiting = await lanes.waiting(lane);
    const bodies = waiting.map(readMail);
    if (isSharedRuns(runs, persons) || othersSpeak(bodies, persons)) {
      const outcome = await redactConversation(id, persons, parts);
      if (outcome === "changed") continue;
      if (outcome === "busy") return "busy";
      const facts = await conversations.find(id);
      const other = runs.flatMap(inboundOfRun).find(({ workspaceId }) => !persons.has(workspaceId));
      if (facts !== undefined && persons.has(facts.owner))
        await conversations.setOwner(id, other?.workspaceId ?? ("deleted" as WorkspaceId));
      return "redacted";
    }
    if (own) return "gone";
    // Another run that deletes the same person's data: of two that ended each other nobody would get a receipt.
    if (state.kind === "run" && isForgetting(runs.findLast((run) => run.runId === state.runId))) return "busy";
    const runId = "runId" in state ? state.runId : undefined;
    const lines = await lanes.readJournal(lane, state.kind === "run" ? state.token : undefined);
    const current = runs.findLast((run) => run.runId === runId);
    const unanswered = [
      ...(current === undefined ? [] : messageIdsOf(current.entries)),
      ...waiting.map((mail) => mail.id),
    ];
    const at = parts.clock.now();
    const effects =
      unanswered.length === 0
        ? {}
        : settle({
            conversation: id,
            lane,
            runId: runId ?? (`deleted_${parts.newId()}` as RunId),
            messageIds: unanswered,
            fate: { end: "stopped", steps: 0 },
            saying: {
              step: "forgotten",
              kind: "notice",
              text: "Stopped: you asked me to delete what I keep about you.",
            },
            at,
            keepMs: lanes.limits.recordMs,
          });
    const read = { lines: lines.length, waiting: waiting.length, ...(runId === undefined ? {} : { runId }) };
    if ((await lanes.erase(lane, read, effects)) === "erased") return "gone";
    // A message came or the run went on meanwhile: look again.
  }
}

async function redactConversation(
  id: ConversationId,
  persons: ReadonlySet<WorkspaceId>,
  parts: ConversationDataParts,
): Promise<"done" | "busy" | "changed"> {
  const { lanes, clock } = parts;
  const lane = chatLane(id);
  for (const mail of await lanes.waiting(lane)) {
    const message = readMail(mail);
    if (message !== undefined && persons.has(message.workspaceId)) await lanes.withdraw(lane, mail.id);
  }
  const { runs, state } = await readKept(id, parts);
  const current = "runId" in state ? runs.findLast((run) => run.runId === state.runId) : undefined;
  if (current !== undefined && isOpenedBy(current, persons)) {
    await stopRun({ conversation: id, opening: "Stopped: what was asked here was deleted." }, parts);
    return "changed";
  }
  if (state.kind === "run") return "busy";
  const lines = await lanes.readJournal(lane);
  const archive = await lanes.readArchive(lane);
  const older = archive === undefined ? [] : readArchived(archive);
  const said = [...(older ?? []), ...lines].map(messageOf);
  if (older !== undefined && !said.some((raw) => isSaidBy(raw, persons))) return "done";
  const left = redactLines(lines, persons);
  // Every line that stays moves towards the end: what a process remembers of the journal is then nowhere as it was, and
  // no copy that it holds passes for what is there now.
  const moved = Array.from({ length: lines.length - left.length + 1 }, () => noteLine({ redacted: clock.now() }));
  const outcome = await lanes.rewrite(
    lane,
    { length: lines.length, last: lines.at(-1) ?? "" },
    [...moved, ...left],
    older === undefined || older.length === 0 ? undefined : await packLines(redactLines(older, persons)),
  );
  return outcome === "rewritten" ? "done" : outcome;
}

/** Undefined when it is damaged: it may hold anybody's words and nobody can read them. */
function readArchived(archive: Buffer): string[] | undefined {
  try {
    return unpackLines(archive);
  } catch {
    return undefined;
  }
}
