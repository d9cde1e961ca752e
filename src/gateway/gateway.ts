import type { AttachmentIntake } from "../agent/attachment-intake.ts";
import type { Door } from "../agent/door-contract.ts";
import { chatLane, outboxLane } from "../agent/lanes-of.ts";
import { InvalidInput } from "../kernel/errors.ts";
import {
  parseMessageId,
  type ConversationId,
  type DeliveryId,
  type MessageId,
  type WorkspaceId,
} from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Gateway, PlatformMessage, Press, Taken } from "../platforms/listening.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { Lanes } from "../store/lanes.ts";
import type { LinkStore } from "../store/links.ts";
import type { PairingStore } from "../store/pairings.ts";
import type { PressStore } from "../store/presses.ts";
import { asCommand, isMeant, mayTalk, type AccessRules } from "./gate.ts";
import { press } from "./presses.ts";
import { refusal } from "./words.ts";

export interface GatewayParts {
  readonly door: Door;
  readonly lanes: Pick<Lanes, "look" | "admit">;
  readonly conversations: Pick<ConversationStore, "find">;
  readonly attachments: AttachmentIntake;
  readonly links: Pick<LinkStore, "resolve">;
  readonly pairings: Pick<PairingStore, "isPaired" | "ask">;
  readonly presses: Pick<PressStore, "find">;
  readonly isCommand: (name: string) => boolean;
  readonly rules: () => AccessRules;
  readonly clock: Clock;
}

/** How often a stranger is told the same, milliseconds. */
const TELL_EVERY_MS = 60 * 60_000;

/** The way in for platforms, over the one door: decides who is meant and who may, and says so where the answer is no. */
export function createGateway(parts: GatewayParts): Gateway {
  const { door, lanes, conversations, attachments, links, pairings, presses, rules, clock } = parts;

  async function message(given: PlatformMessage): Promise<Taken> {
    const { conversationId, author, direct } = given;
    // Only where it matters: most messages name the bot or are not for it.
    const asksThread = given.thread && !given.addressed && !direct;
    const takesPart = asksThread && (await conversations.find(conversationId)) !== undefined;
    if (!isMeant(given, { takesPart })) return "ignored";
    const id = parseMessageId(given.id);
    if (!(await may(author.id, given.chat))) return refuse(given);
    const about = { workspaceId: author.id, conversationId, id };
    const files = given.files.length === 0 ? undefined : await attachments.take(about, given.files);
    try {
      const { status } = await door.admit({
        ...about,
        // In a direct chat there is nobody else whom the model could mistake for the author.
        ...(direct ? {} : { authorName: author.name }),
        text: asCommand(given.text, parts.isCommand),
        ...(files === undefined ? {} : { attachments: files }),
        at: given.at,
      });
      return status === "duplicate" ? "known" : "kept";
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      await say(conversationId, `full:${id}`, error.message);
      return "told";
    }
  }

  async function may(account: WorkspaceId, chat: string): Promise<boolean> {
    const person = await links.resolve(account);
    const verdict = mayTalk({ account, person, chat }, rules());
    if (verdict !== "ask") return verdict === "yes";
    return (await pairings.isPaired(account)) || (person !== account && (await pairings.isPaired(person)));
  }

  /** A stranger is told once an hour what to do; in company without a code, which others could use to impersonate. */
  async function refuse({ author, conversationId, direct }: PlatformMessage): Promise<Taken> {
    const { access } = rules();
    const code = access === "pairing" && direct ? await pairings.ask(author.id, author.name) : undefined;
    const text = refusal({ access, direct, code, account: author.id });
    const hour = Math.floor(clock.now() / TELL_EVERY_MS);
    await say(conversationId, `stranger:${author.id}:${hour}`, text);
    return "told";
  }

  /** Through the same ordered outbox as everything else; the same id is said once. */
  async function say(conversationId: ConversationId, id: string, text: string): Promise<void> {
    const outgoing: OutboundMessage = {
      id: `${id}:0` as DeliveryId,
      conversationId,
      kind: "notice",
      text,
      answers: [],
      at: clock.now(),
    };
    const mail = { id: outgoing.id as string as MessageId, mode: "alone", body: JSON.stringify(outgoing) } as const;
    await lanes.admit(outboxLane(conversationId), mail);
  }

  return {
    message,
    async edited({ conversationId, id, text }) {
      await door.editMessage(conversationId, parseMessageId(id), asCommand(text, parts.isCommand));
    },
    async deleted({ conversationId, id }) {
      await door.withdrawMessage(conversationId, parseMessageId(id));
    },
    async pressed(pressed: Press) {
      const payload = await presses.find(pressed.token);
      if (payload === undefined) return { notice: "This button is too old to be used.", outcome: "No longer open." };
      if (pressed.by.isBot || !(await may(pressed.by.id, pressed.chat)))
        return { notice: "I do not know you yet: send me a direct message first." };
      return press(payload, pressed, await links.resolve(pressed.by.id), { door, lanes, admins: () => rules().admins });
    },
    async approval(token) {
      const payload = await presses.find(token);
      return payload?.kind === "approval" ? door.approval(payload.approval) : undefined;
    },
    async busy(conversation) {
      return (await lanes.look(chatLane(conversation))).kind !== "idle";
    },
  };
}
