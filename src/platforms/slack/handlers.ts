import { describeError } from "../../kernel/errors.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { Gateway, PlatformMessage, Pressed, Taken } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { slackFlavour } from "../render/slack.ts";
import type { SlackApi } from "./api.ts";
import { DETAILS, outcomeBlocks } from "./blocks.ts";
import { approvalDialog, noticeDialog } from "./dialog.ts";
import { refusal } from "./errors.ts";
import { channelOf, type Happening, readEvent, type Said, type Self, toMessage } from "./events.ts";
import { findMessage } from "./find-message.ts";
import { spotOf, timeOf } from "./ids.ts";
import type { Identity } from "./identity.ts";
import { type ActionPress, type Pressable, readAction, readSlash, readSubmission } from "./interactions.ts";
import { createLateChanges } from "./late-changes.ts";
import { createOrder } from "./order.ts";
import { createPane } from "./pane.ts";
import type { People } from "./people.ts";
import { createReach } from "./reach.ts";
import { noteAsker } from "./asker.ts";
import { mentioned, readCommand, readText } from "./text.ts";

export interface HandlerParts {
  readonly api: SlackApi;
  readonly identity: Identity;
  readonly people: People;
  readonly gateway: Gateway;
  readonly notes: PlatformNotes;
  readonly clock: Clock;
  readonly log: Log;
}

/** What Slack is answered in its acknowledgement. */
export type Answer = Readonly<Record<string, unknown>> | undefined;

/**
 * What is done with what Slack brings. Each resolves when everything that must last is kept, and rejects when it could
 * not be; `answer` is called as soon as Slack may be answered, which for people waiting is before the rest is done.
 */
export interface Handlers {
  event(event: unknown): Promise<void>;
  command(body: unknown, answer: (answer: Answer) => Promise<void>): Promise<void>;
  action(body: unknown, answer: (answer: Answer) => Promise<void>): Promise<void>;
  submission(body: unknown, answer: (answer: Answer) => Promise<void>): Promise<void>;
  /** Takes a message of a history as if it had come as an event. */
  said(said: Said): Promise<void>;
}

/** Creates the handlers of everything that comes in. */
export function createHandlers(parts: HandlerParts): Handlers {
  const { api, identity, people, gateway, notes, clock, log } = parts;
  const reach = createReach(notes, clock);
  const pane = createPane(api, notes, log);
  const late = createLateChanges();
  const inOrder = createOrder();

  async function take(said: Said, self: Self): Promise<void> {
    const users = mentioned(said.raw).filter((user) => user !== self.user);
    const nameOf = await people.names([said.user, ...users]);
    const read = toMessage(said, self, nameOf);
    const isBot = read.author.isBot || people.isBot(said.user);
    const message: PlatformMessage = { ...read, author: { ...read.author, isBot } };
    const { thread } = spotOf(message.conversationId);
    const taken = await gateway.message(message);
    if (taken === "kept" && thread !== undefined && !said.direct) await noteAsker(notes, said, thread, self);
    await reach(said, thread, taken);
    if (taken === "kept" && said.direct && thread !== undefined) pane.talked(said.channel, thread, message.text);
  }

  async function happened(happening: Happening, self: Self): Promise<void> {
    switch (happening.kind) {
      case "said": {
        const { channel, ts } = happening.said;
        const change = late.of(channel, ts);
        if (change === "deleted") return;
        return await take(change === undefined ? happening.said : { ...happening.said, raw: change.raw }, self);
      }
      case "edited": {
        const { conversationId, id, raw } = happening;
        late.note(spotOf(conversationId).channel, id, { raw });
        const nameOf = await people.names(mentioned(raw).filter((user) => user !== self.user));
        const text = readCommand(readText(raw, { self: self.user, nameOf }), mentioned(raw).includes(self.user));
        return await gateway.edited({ conversationId, id, text });
      }
      case "deleted":
        late.note(spotOf(happening.conversationId).channel, happening.id, "deleted");
        return await gateway.deleted({ conversationId: happening.conversationId, id: happening.id });
      case "pane-opened":
        await notes.reach(`${happening.channel}:${happening.thread}`, happening.thread, timeOf(happening.thread));
        return await pane.opened(happening.channel, happening.thread);
      case "nothing":
        return;
    }
  }

  return {
    event: async (event) => {
      const self = await identity.self();
      const happening = readEvent(event, self);
      // A name that has to be looked up must not let an edit overtake its message.
      await inOrder(channelOf(happening), () => happened(happening, self));
    },

    said: async (said) => {
      const self = await identity.self();
      await inOrder(said.channel, () => happened({ kind: "said", said }, self));
    },

    command: async (body, answer) => {
      const message = readSlash(body, clock.now());
      if (message === undefined) return await answer(undefined);
      const { channel } = spotOf(message.conversationId);
      if (!message.direct && !(await isMember(api, channel))) {
        return await answer(ephemeral("I am not in this channel. Invite me with /invite, then try again."));
      }
      const nameOf = await people.names([message.author.id.slice("slack:".length)]);
      const name = nameOf(message.author.id.slice("slack:".length)) ?? message.author.name;
      const taken = await gateway.message({ ...message, author: { ...message.author, name } });
      await answer(ephemeral(TAKEN[taken](message.text)));
    },

    action: async (body, answer) => {
      const action = readAction(body);
      if (action === undefined) return await answer(undefined);
      if (action.action === DETAILS) return await openDialog(action, answer);
      const pressed = await gateway.pressed(action.press);
      await answer(undefined);
      await settle(action.under, action.user, pressed);
    },

    submission: async (body, answer) => {
      const submitted = readSubmission(body, clock.now());
      if (submitted === undefined) return await answer(undefined);
      const { press, user, state } = submitted;
      const pressed = await gateway.pressed(press);
      await answer({ response_action: "update", view: noticeDialog(pressed.notice) });
      if (pressed.outcome === undefined) return;
      const place = { channel: state.channel, thread: state.thread };
      await quietly("show the outcome", async () => {
        const under = await findMessage(api, place, state.ts);
        if (under === undefined) return;
        const pressable = { ...place, ts: under.ts, text: under.text, blocks: under.blocks ?? [] };
        await settle(pressable, user, { ...pressed, notice: "" });
      });
    },
  };

  async function openDialog(action: ActionPress, answer: (answer: Answer) => Promise<void>): Promise<void> {
    const [yes = "", no = ""] = action.press.token.split(" ");
    const card = await gateway.approval(yes);
    const { channel, thread, ts } = action.under;
    if (card === undefined) {
      await answer(undefined);
      return await settle(action.under, action.user, { notice: "This is no longer open." });
    }
    const state = { channel, ts, yes, no, ...(thread === undefined ? {} : { thread }) };
    // Slack lets a dialog be opened for three seconds after the press: before anything else.
    await quietly("open the dialog", () =>
      api.call("views.open", { trigger_id: action.trigger, view: approvalDialog(card, state) }, { quick: true }),
    );
    await answer(undefined);
  }

  /** Tells the person who pressed, and puts the outcome in the place of the buttons. What was decided stands already. */
  async function settle(under: Pressable, user: string, { notice, outcome }: Pressed): Promise<void> {
    const { channel, thread, ts, text, blocks } = under;
    const told = { channel, user, text: slackFlavour.escape(notice) };
    const inThread = thread === undefined ? {} : { thread_ts: thread };
    const tell = () => api.call("chat.postEphemeral", { ...told, ...inThread });
    const show = (line: string) =>
      api.call("chat.update", { channel, ts, text, blocks: outcomeBlocks(blocks, text, line) });
    await Promise.all([
      notice === "" ? undefined : quietly("tell who pressed", tell),
      outcome === undefined ? undefined : quietly("show the outcome", () => show(outcome)),
    ]);
  }

  async function quietly(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.warn({ why: describeError(error) }, `could not ${what} in Slack`);
    }
  }
}

/** What a person is told right away about a slash command; its answer comes as a message of its own. */
const TAKEN: Readonly<Record<Taken, (command: string) => string>> = {
  kept: (command) => `Taken: ${slackFlavour.escape(command)}`,
  known: (command) => `Taken: ${slackFlavour.escape(command)}`,
  told: () => "I have told you what is missing.",
  ignored: () => "I may not answer you here.",
};

const ephemeral = (text: string): Answer => ({ response_type: "ephemeral", text });

/** Whether the bot can answer in a channel; when Slack does not say, it is tried. */
async function isMember(api: SlackApi, channel: string): Promise<boolean> {
  try {
    return (await api.call("conversations.info", { channel }, { quick: true })).channel.is_member !== false;
  } catch (error) {
    return refusal(error) !== "channel_not_found";
  }
}
