import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import { platformOf } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Run } from "../engine/run.ts";
import type { HookRunner } from "../hooks/run-hooks.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { Lanes } from "../store/lanes.ts";
import type { PairingStore } from "../store/pairings.ts";
import type { MemoryStore } from "../store/memory.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { decideByCommand } from "./approvals/commands.ts";
import { chatLane, conversationOf } from "./lanes-of.ts";
import { credentialsCommand, type CredentialsCommandParts } from "./credentials-command.ts";
import { linkCommand, type LinkCommandParts } from "./link-command.ts";
import { modelCommand, type ModelChoices } from "./model-command.ts";
import { privacyCommand, type PrivacyCommandParts } from "./privacy/privacy-command.ts";
import { isQueueMode, QUEUE_MODES, queueMode, type QueueMode } from "./queue-mode.ts";
import { readMail } from "./runs.ts";
import { stopRun } from "./stop.ts";
import { viewConversation, viewRun, type ViewParts } from "./views.ts";

export interface CommandParts extends ViewParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly conversations: ConversationStore;
  readonly memory: MemoryStore;
  readonly toolboxFor: (workspace: WorkspaceId) => Promise<Toolbox>;
  /** What a person has used, in words; absent where nothing is counted. */
  readonly usage?: (workspace: WorkspaceId, conversation: ConversationId) => Promise<string>;
  /** What people do with MCP servers; absent where there are none. */
  readonly mcp?: { command(workspace: WorkspaceId, rest: string): Promise<string> };
  /** What is kept of people; absent where they cannot ask for it. */
  readonly privacy?: Omit<PrivacyCommandParts, "lanes">;
  /** Which accounts are one person; absent where none can be linked. */
  readonly link?: Pick<LinkCommandParts, "links" | "memory">;
  /** What people connect; absent where nothing can be encrypted. */
  readonly credentials?: Omit<CredentialsCommandParts, "lanes">;
  /** The models to choose from; absent where there is no choice. */
  readonly models?: ModelChoices;
  /** The hooks that are switched off. */
  readonly hooks?: Pick<HookRunner, "troubles">;
  /** What people do with schedules; absent where there are none. */
  readonly schedules?: { command(call: CommandCall): Promise<CommandAnswer> };
  /** Who may talk to the bot; absent where everybody may. */
  readonly pairings?: Pick<PairingStore, "pair">;
  readonly defaultQueueMode: () => QueueMode;
  /** The people who may decide about everybody's approvals. */
  readonly admins: () => readonly string[];
}

export interface CommandCall {
  readonly message: InboundMessage;
  /** What follows the command's name. */
  readonly rest: string;
  readonly run: Run;
}

interface Command {
  readonly name: string;
  readonly help: string;
  /** True when nothing may follow its name. */
  readonly alone?: true;
  /** Whether there is such a thing here; absent means always. */
  readonly isFor?: (parts: CommandParts) => boolean;
  /** The answer; undefined when the command has already said it. */
  readonly run: (call: CommandCall, parts: CommandParts) => Promise<CommandAnswer | undefined>;
}

/** What a command answers: text, or a question whose choices are commands themselves. */
export type CommandAnswer = string | { readonly text: string; readonly choices: readonly string[] };

/** The command of this name. */
/** True for the name of a command that people can give. */
export function isCommand(name: string): boolean {
  return findCommand(name) !== undefined || IN_TURN.some((command) => command.name === name);
}

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}

const COMMANDS: readonly Command[] = [
  {
    name: "help",
    help: "lists the commands; /help <command> says what one does",
    run: ({ rest }, parts) => Promise.resolve(helpText(rest, parts)),
  },
  {
    name: "stop",
    help: "stops what I am doing and says what was already done",
    run: async ({ message, run }, parts) => {
      // A step of that name is there when an earlier attempt of this command stopped a run: its answer went out with it.
      if (run.entries.some((entry) => entry.kind === "step" && entry.step === "stop")) return undefined;
      const stopped = await stopRun(
        {
          conversation: message.conversationId,
          opening: "Stopped.",
          command: { lane: run.lane, token: run.token, messageIds: [message.id], step: "stop" },
        },
        parts,
      );
      return stopped === undefined ? "Nothing was running." : undefined;
    },
  },
  {
    name: "approve",
    help: "lets me do what I have asked about; /approve <id> when several calls wait",
    run: (call, parts) => decideByCommand("approve", call, parts),
  },
  {
    name: "deny",
    help: "keeps me from doing what I have asked about; /deny <id> when several calls wait",
    run: (call, parts) => decideByCommand("deny", call, parts),
  },
  {
    name: "status",
    alone: true,
    help: "shows what I am doing and what waits",
    run: async ({ run }, parts) => {
      const view = await viewConversation(conversationOf(run.lane), parts);
      const current = view?.runId === undefined ? undefined : await viewRun(view.runId, parts);
      const doing =
        current === undefined || current.endedAt !== undefined
          ? "I am not doing anything right now."
          : `I am ${current.status === "waiting" ? "waiting" : "working"}: ${countOf(current.steps.length)} so far, ` +
            `started ${Math.max(0, Math.round((parts.clock.now() - current.startedAt) / 1000))} s ago.`;
      const waiting = view?.waiting.length ?? 0;
      const queue = waiting === 0 ? "No message waits." : `Messages waiting: ${waiting}.`;
      return [`${doing} ${queue}`, ...(await modelLine(conversationOf(run.lane), parts)), ...hookLines(parts)].join(
        "\n",
      );
    },
  },
  {
    name: "tools",
    alone: true,
    help: "lists what I can do",
    run: async ({ message }, { toolboxFor }) => {
      const tools = (await toolboxFor(message.workspaceId)).list();
      return ["My tools:", ...tools.map((tool) => `- ${tool.name}: ${firstSentence(tool.description)}`)].join("\n");
    },
  },
  {
    name: "memory",
    help: "lists what I remember about you",
    run: async ({ message }, { memory }) => {
      const { entries } = await memory.list(message.workspaceId);
      if (entries.length === 0) return "I remember nothing about you.";
      return ["I remember:", ...entries.map((entry) => `- ${entry.key}: ${entry.value}`)].join("\n");
    },
  },
  {
    name: "queue",
    help: "shows waiting messages; /queue queue|collect|steer|interrupt chooses how they are taken",
    run: async ({ message, rest }, parts) => {
      const id = message.conversationId;
      const choice = rest.toLowerCase();
      if (isQueueMode(choice)) {
        await parts.conversations.setQueueMode(id, choice);
        return `From now on ${QUEUE_MODES[choice]}.`;
      }
      if (choice !== "") return `"${rest.slice(0, 40)}" is not a way to queue: use queue, collect, steer or interrupt.`;
      const waiting = await parts.lanes.waiting(chatLane(id));
      const mode = queueMode((await parts.conversations.find(id))?.queueMode, parts.defaultQueueMode());
      const texts = waiting
        .map((mail) => readMail(mail)?.text ?? "(a message that cannot be read)")
        .map((text, index) => `${index + 1}. ${shorten(text)}`);
      return [`Mode: ${mode} (${QUEUE_MODES[mode]}).`, ...(texts.length === 0 ? ["No message waits."] : texts)].join(
        "\n",
      );
    },
  },
  {
    name: "usage",
    alone: true,
    isFor: ({ usage }) => usage !== undefined,
    help: "shows what you have used of your budgets",
    run: async ({ message }, { usage }) =>
      (await usage?.(message.workspaceId, message.conversationId)) ?? "Nothing is counted here.",
  },
  {
    name: "mcp",
    isFor: ({ mcp }) => mcp !== undefined,
    help: "lists tool servers; /mcp add <url>, /mcp remove <name>, /mcp tools <name>",
    run: async ({ message, rest }, { mcp }) =>
      (await mcp?.command(message.workspaceId, rest)) ?? "There are no tool servers here.",
  },
  {
    name: "privacy",
    help: "/privacy export gives you everything I keep about you, /privacy forget deletes it",
    isFor: ({ privacy }) => privacy !== undefined,
    run: async ({ message, rest }, { lanes, privacy }) =>
      privacy === undefined ? "That cannot be asked here." : privacyCommand(message, rest, { lanes, ...privacy }),
  },
  {
    name: "credentials",
    help: "lists what tools sign in with for you; /credentials set <name>, /credentials remove <name>",
    isFor: ({ credentials }) => credentials !== undefined,
    run: async ({ message, rest }, { lanes, credentials }) =>
      credentials === undefined
        ? "Credentials cannot be kept here: the administrator has to set PARLEY_MASTER_KEY first."
        : credentialsCommand(message, rest, { lanes, ...credentials }),
  },
  {
    name: "link",
    help: "makes your accounts on several platforms one person; /link list, /link remove <account>",
    isFor: ({ link }) => link !== undefined,
    run: async ({ message, rest }, { lanes, clock, link }) =>
      link === undefined ? "Accounts cannot be linked here." : linkCommand(message, rest, { lanes, clock, ...link }),
  },
  {
    name: "pair",
    help: "/pair <code> lets somebody talk to me; for administrators",
    isFor: ({ pairings }) => pairings !== undefined,
    run: async ({ message, rest }, { pairings, admins }) => {
      if (pairings === undefined) return "Everybody may talk to me here.";
      const names = [message.workspaceId, message.identity];
      if (!names.some((name) => name !== undefined && admins().includes(name)))
        return "Only an administrator may let people in.";
      if (rest === "") return "Name the code that the person was given: /pair <code>.";
      const paired = await pairings.pair(rest, message.workspaceId);
      if (paired === "unknown") return "I do not know this code: it may be mistyped or older than an hour.";
      if (paired === "full") return "Too many people were let in already; remove some with `npx parley pair remove`.";
      return `${paired.name} (${paired.account}) may talk to me now.`;
    },
  },
  {
    name: "model",
    help: "shows the models; /model <name> chooses one for this conversation",
    isFor: ({ models }) => models !== undefined,
    run: async ({ message, rest }, { conversations, models }) =>
      models === undefined
        ? "There is no choice of models here."
        : modelCommand(message.conversationId, rest, { conversations, models }),
  },
  {
    name: "schedule",
    help: "lists schedules; /schedule add <when> | <what>, show, run, pause, resume, edit, delete, history <id>",
    run: async (call, { schedules }) => (await schedules?.command(call)) ?? "There are no schedules here.",
  },
  {
    name: "debug",
    alone: true,
    help: "shows the last run in detail",
    run: async ({ run }, parts) => {
      const view = await viewConversation(conversationOf(run.lane), parts);
      const current = view?.runId === undefined ? undefined : await viewRun(view.runId, parts);
      const last = current ?? (await parts.lastRun(conversationOf(run.lane)));
      if (last === undefined) return "There has been no run in this conversation.";
      return [
        `Run ${last.id}: ${last.status}, ${last.inputTokens} tokens in, ${last.outputTokens} out.`,
        ...last.steps.map(
          (step) =>
            `- ${step.name} (${step.what}): ${step.status}, ${step.ms} ms${step.tries > 1 ? `, try ${step.tries}` : ""}`,
        ),
      ].join("\n");
    },
  },
  {
    name: "where",
    alone: true,
    help: "shows which conversation and which memory this is",
    run: ({ message }) =>
      Promise.resolve(
        `Conversation ${message.conversationId} on ${platformOf(message.conversationId)}; your workspace is ${message.workspaceId}.`,
      ),
  },
];

/** Commands that wait their turn in the conversation; they are answered there. */
const IN_TURN = [
  { name: "new", help: "starts a new conversation; memory stays" },
  { name: "reset", help: "starts anew and asks whether memory goes too" },
];

function helpText(rest: string, parts: CommandParts): string {
  const all = [...COMMANDS.filter(({ isFor }) => isFor?.(parts) ?? true), ...IN_TURN];
  const name = rest.toLowerCase().replace(/^\//, "");
  const one = all.find((command) => command.name === name);
  if (one !== undefined) return `/${one.name}: ${one.help}`;
  const lines = all
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((command) => `- /${command.name}: ${command.help}`);
  const opening =
    name === "" ? "What I understand besides plain messages:" : `I do not know /${name.slice(0, 40)}. There is:`;
  return [opening, ...lines].join("\n");
}

function hookLines({ hooks }: CommandParts): string[] {
  return (hooks?.troubles() ?? []).map(({ file, point }) => `Switched off because it failed: ${point} of ${file}.`);
}

async function modelLine(id: ConversationId, { models, conversations }: CommandParts): Promise<string[]> {
  const names = models?.names() ?? [];
  const chosen = (await conversations.find(id))?.model;
  const [first] = names;
  if (first === undefined) return [];
  return [chosen === undefined || !names.includes(chosen) ? `Model: ${first} (the default).` : `Model: ${chosen}.`];
}

function countOf(steps: number): string {
  return steps === 1 ? "1 step" : `${steps} steps`;
}

function firstSentence(text: string): string {
  return /^[^.]*\.?/.exec(text)?.[0] ?? text;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
