import { describeError, InvalidInput } from "../kernel/errors.ts";
import type { ConversationId, DeliveryId, MessageId, RunId, WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import { platformOf } from "../kernel/messages.ts";
import type { Clock, Log, NewId } from "../kernel/ports.ts";
import { parseJson } from "../kernel/json.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { LinkStore } from "../store/links.ts";
import type { Admission } from "../store/lane-contract.ts";
import type { Lanes } from "../store/lanes.ts";
import { toMail, type InboxMode, type Mail } from "../store/mail.ts";
import { showableAttachment } from "./attachments.ts";
import { decideApproval, findApproval, openApprovals } from "./approvals/decide.ts";
import { APPROVAL_WAKE } from "./approvals/wait.ts";
import { clearsHistory, isControl } from "./command-text.ts";
import { answerSchema, undeliveredSchema } from "./answers.ts";
import type { Door, MessageStatus } from "./door-contract.ts";
import { chatLane, controlLane } from "./lanes-of.ts";
import type { Live } from "./live.ts";
import { queueMode, type QueueMode } from "./queue-mode.ts";
import { messageIdsOf } from "./runs.ts";
import { fateSchema } from "./settle.ts";
import { stopRun } from "./stop.ts";
import { readConversation, toRunView, transcriptOf, viewConversation, viewRun } from "./views.ts";

export interface DoorParts {
  readonly lanes: Lanes;
  readonly conversations: ConversationStore;
  readonly live: Live;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly defaultQueueMode: () => QueueMode;
  /** Whose workspace an account stands for; without it each has its own. */
  readonly links?: Pick<LinkStore, "resolve">;
  readonly onAdmitted?: (message: InboundMessage, status: Admission["status"]) => void;
}

const INBOX_MODE: Record<QueueMode, InboxMode> = {
  queue: "alone",
  collect: "together",
  steer: "steer",
  interrupt: "alone",
};

/** Opens the one way in. */
export function createDoor(parts: DoorParts): Door {
  const { lanes, conversations, live, clock, log, defaultQueueMode } = parts;

  let admitted = 0;

  async function admit(given: InboundMessage) {
    const message = await resolvePerson(wellFormed(given));
    const conversation = message.conversationId;
    const facts = await conversations.touch(conversation, message.workspaceId, message.at, message.identity);
    const control = isControl(message.text);
    // A command to begin anew is not the answer to an open question: the question is dropped.
    if (clearsHistory(message.text)) await dropOpenQuestion(conversation, message.id);
    // What several people say is never put together: each runs with the permissions and budget of who said it.
    const mode = facts.shared ? "queue" : queueMode(facts.queueMode, defaultQueueMode());
    const admission = await lanes.admit(
      control ? controlLane(conversation) : chatLane(conversation),
      // The end of the body stays the time of receipt, which is read without parsing the rest.
      toMail(
        facts.shared ? { shared: true, ...message } : message,
        control || clearsHistory(message.text) ? "alone" : INBOX_MODE[mode],
      ),
    );
    parts.onAdmitted?.(message, admission.status);
    if (admission.status === "full")
      throw new InvalidInput(
        `Conversation ${conversation} already has ${admission.ahead} messages waiting; try again when some are answered.`,
        { code: "conversation_full" },
      );
    if (admission.status === "duplicate") return { status: "duplicate", position: 0 } as const;
    live.tell(conversation, {
      type: "message.received",
      message_id: message.id,
      text: message.text,
      position: admission.ahead,
      ...(message.attachments === undefined ? {} : { attachments: message.attachments.map(showableAttachment) }),
    });
    if (admission.status === "queued" && mode === "interrupt" && !control) await interrupt(conversation, message.id);
    admitted += 1;
    if (admitted % ADMISSIONS_PER_TRIM === 0) trim(message.workspaceId);
    return admission.status === "queued"
      ? ({ status: "queued", position: admission.ahead } as const)
      : ({ status: "started", position: 0 } as const);
  }

  // Once, before anything is kept: a message stays where it was admitted, whatever is linked or separated later.
  async function resolvePerson(message: InboundMessage): Promise<InboundMessage> {
    const workspaceId = (await parts.links?.resolve(message.workspaceId)) ?? message.workspaceId;
    return workspaceId === message.workspaceId ? message : { ...message, workspaceId, identity: message.workspaceId };
  }

  async function dropOpenQuestion(conversation: ConversationId, id: MessageId): Promise<void> {
    const lane = chatLane(conversation);
    const state = await lanes.look(lane);
    const asksApproval = state.kind === "parked" && state.key === APPROVAL_WAKE;
    if (state.kind !== "parked" || !(state.mail || asksApproval)) return;
    // A redelivery of a command that is long done must not drop a later question.
    if ((await lanes.record(lane, id)) !== undefined) return;
    const opening = asksApproval ? "I dropped what you were to approve." : "I dropped my question.";
    await stopRun({ conversation, opening }, parts);
  }

  // The message is safe already: a failure here leaves it in line and must not look like a refusal.
  async function interrupt(conversation: ConversationId, id: MessageId): Promise<void> {
    try {
      await stopRun({ conversation, opening: "Interrupted by your next message.", inFavourOf: id }, parts);
    } catch (error) {
      log.warn({ conversation, error: describeError(error) }, "a run could not be interrupted; its next message waits");
    }
  }

  function trim(workspace: WorkspaceId): void {
    conversations.trim(workspace).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, "the lists of conversations could not be trimmed");
    });
  }

  return {
    admit,

    async messageStatus(conversation, id) {
      const lane = chatLane(conversation);
      const record = await lanes.record(lane, id);
      if (record === undefined) return undefined;
      const notes = (await lanes.answers(lane, id)).map(parseJson);
      const answers = notes.flatMap((note) => {
        const parsed = answerSchema.safeParse(note);
        return parsed.success ? [{ ...parsed.data, deliveryId: parsed.data.deliveryId as DeliveryId }] : [];
      });
      const common = { id, conversationId: conversation, answers, position: undefined, error: undefined };
      if (record === "withdrawn") return { ...common, status: "withdrawn", runId: undefined, steps: 0 };
      const fate = fateSchema.safeParse(parseJson(record));
      if (!fate.success) return liveStatus(common, conversation, id);
      const { run, end, steps, error } = fate.data;
      const runId = run as RunId;
      if (answers.length === 0 && end !== "silent") {
        const undelivered = notes
          .map((note) => undeliveredSchema.safeParse(note).data)
          .find((note) => note !== undefined);
        if (undelivered === undefined) return { ...common, status: "running", runId, steps };
        const message = `The answer could not be delivered: ${undelivered.undelivered}`;
        return { ...common, status: "failed", runId, steps, error: { code: "undelivered", message } };
      }
      return { ...common, status: end === "failed" ? "failed" : "answered", runId, steps, error };
    },

    async editMessage(conversation, id, text) {
      const lane = chatLane(conversation);
      const mail = await findWaiting(conversation, id);
      if (mail === undefined) return (await lanes.record(lane, id)) === undefined ? "unknown" : "taken";
      const message: unknown = parseJson(mail.body);
      if (typeof message !== "object" || message === null) return "taken";
      const outcome = await lanes.edit(lane, {
        ...mail,
        body: JSON.stringify({ ...message, text: text.toWellFormed() }),
      });
      if (outcome === "changed") live.tell(conversation, { type: "message.changed", message_id: id, text });
      return outcome;
    },

    async withdrawMessage(conversation, id) {
      const outcome = await lanes.withdraw(chatLane(conversation), id);
      if (outcome === "withdrawn") live.tell(conversation, { type: "message.withdrawn", message_id: id });
      return outcome;
    },

    async stop(conversation) {
      const runId = await stopRun({ conversation, opening: "Stopped." }, parts);
      return { stopped: runId !== undefined, runId };
    },

    async reset(conversation) {
      const facts = await conversations.find(conversation);
      if (facts === undefined) return;
      await admit({
        id: `reset:${parts.newId()}` as MessageId,
        conversationId: conversation,
        workspaceId: facts.owner,
        text: "/new",
        at: clock.now(),
      });
    },

    async conversations(query) {
      const rows = await conversations.list(query);
      return rows.map((row) => ({ ...row, platform: platformOf(row.id) }));
    },

    conversation: (id) => viewConversation(id, parts),
    transcript: async (id) => transcriptOf((await readConversation(id, parts)).runs, clock.now()),
    run: (id) => viewRun(id, parts),
    approval: (id) => findApproval(id, parts),
    openApprovals: (conversation) => openApprovals(conversation, parts),
    decideApproval: (request) => decideApproval(request, parts),
  };

  async function findWaiting(conversation: ConversationId, id: MessageId): Promise<Mail | undefined> {
    return (await lanes.waiting(chatLane(conversation))).find((mail) => mail.id === id);
  }

  /** Where a message is whose run has not ended: in line, or in the run that is going. */
  async function liveStatus(
    common: Pick<MessageStatus, "id" | "conversationId" | "answers" | "error">,
    conversation: ConversationId,
    id: MessageId,
  ): Promise<MessageStatus> {
    const waiting = await lanes.waiting(chatLane(conversation));
    const index = waiting.findIndex((mail) => mail.id === id);
    if (index >= 0) {
      const busy = (await lanes.look(chatLane(conversation))).kind !== "ready";
      return { ...common, status: "queued", position: index + (busy ? 1 : 0), runId: undefined, steps: 0 };
    }
    const { runs, state } = await readConversation(conversation, parts);
    const run = runs.findLast((each) => messageIdsOf(each.entries).includes(id));
    const view = run === undefined ? undefined : toRunView(run, conversation, state);
    return {
      ...common,
      status: view?.status === "waiting" ? "waiting" : "running",
      position: undefined,
      runId: view?.id,
      steps: view?.steps.length ?? 0,
    };
  }
}

/** How often the lists of conversations are cut to their limits. */
const ADMISSIONS_PER_TRIM = 100;

/** Half characters cannot be stored as UTF-8: they are replaced here, not somewhere on the way. */
function wellFormed(message: InboundMessage): InboundMessage {
  const { text, authorName } = message;
  return {
    ...message,
    text: text.toWellFormed(),
    ...(authorName === undefined ? {} : { authorName: authorName.toWellFormed() }),
  };
}

/** The newest ended run of a conversation, as operators see it. */
export async function lastRun(conversation: ConversationId, parts: Pick<DoorParts, "lanes">) {
  const { runs, state } = await readConversation(conversation, parts);
  const run = runs.findLast((each) => each.ended !== undefined);
  return run === undefined ? undefined : toRunView(run, conversation, state);
}
