import { OutsideError } from "./kernel/errors.ts";
import type { WorkspaceId } from "./kernel/ids.ts";
import { platformOf } from "./kernel/messages.ts";
import type { PersonalData } from "./kernel/personal-data.ts";
import { systemClock, type Log, type NewId } from "./kernel/ports.ts";
import { createAttachmentIntake } from "./agent/attachment-intake.ts";
import { createFileReader, type FetchFromPlatform } from "./agent/file-reader.ts";
import { createChatHandler } from "./agent/chat.ts";
import { createLinkData } from "./agent/link-command.ts";
import type { ModelChoices } from "./agent/model-command.ts";
import { createConversationData } from "./agent/privacy/conversations.ts";
import { createFileData } from "./agent/privacy/files.ts";
import { createPrivacy } from "./agent/privacy/forget.ts";
import { createBudgetData, createCredentialData, createMemoryData } from "./agent/privacy/stored.ts";
import { isCommand, type CommandParts } from "./agent/commands.ts";
import { createControlHandler } from "./agent/control.ts";
import { conversationOf } from "./agent/lanes-of.ts";
import { createDoor, lastRun } from "./agent/door.ts";
import { createSecretHider } from "./agent/hide-secrets.ts";
import { createLive, type Live } from "./agent/live.ts";
import type { PromptFunction } from "./agent/prompt-function.ts";
import { createRunEnds } from "./agent/run-ends.ts";
import { createSystemPrompt } from "./agent/system-prompt.ts";
import type { Config } from "./config/schema.ts";
import { createDeliveryHandler } from "./delivery/delivery.ts";
import { createWorker, type Role } from "./engine/worker.ts";
import { createHookRunner, type HookRunnerParts } from "./hooks/run-hooks.ts";
import { createExtract } from "./files/extract.ts";
import { transcribe } from "./files/transcribe.ts";
import { meterModel, meterTool } from "./metered.ts";
import { SCHEDULE_LANE } from "./kernel/schedules.ts";
import { createScheduleData } from "./schedule/personal-data.ts";
import { openSchedules } from "./schedules.ts";
import type { Budgets } from "./budget/budgets.ts";
import type { McpTools } from "./tools/mcp/mcp-tools.ts";
import type { ModelClient } from "./models/contract.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import { accessRules, approvalPolicy, artifactLimits, chatLimits, deliveryLimits, readerSettings } from "./settings.ts";
import { budgetExtension, usageText } from "./budget-parts.ts";
import { withBulkhead } from "./delivery/bulkhead.ts";
import { createGateway } from "./gateway/gateway.ts";
import { createPresence } from "./gateway/presence.ts";
import { recordedAdapters, type MakeAdapters } from "./platform-adapters.ts";
import { createLeaseStore } from "./store/leases.ts";
import { createPairingStore } from "./store/pairings.ts";
import { createPlatformNotes } from "./store/platform-notes.ts";
import { createPressStore } from "./store/presses.ts";
import { createShownStore } from "./store/shown.ts";
import { connectRedis, type RedisConnection, type RedisTarget } from "./store/connection.ts";
import { createBudgetStore } from "./store/budgets.ts";
import { createConversationStore } from "./store/conversations.ts";
import type { CredentialStore } from "./store/credentials.ts";
import { createForgettingStore } from "./store/forgetting.ts";
import { createArtifactStore } from "./store/artifacts.ts";
import { createLanes } from "./store/lanes.ts";
import { createLinkStore } from "./store/links.ts";
import { createMemoryStore } from "./store/memory.ts";
import { createTicketStore } from "./store/tickets.ts";
import { createResultStore } from "./store/results.ts";
import { createUploadStore } from "./store/uploads.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { builtinTools } from "./tools/builtin/index.ts";
import { createCatalog } from "./tools/catalog.ts";
import type { Tool } from "./tools/contract.ts";
import { scheduleTools } from "./tools/builtin/schedule-tools.ts";
import { createSafeDownload, createSafeFetch } from "./tools/safe-fetch.ts";
import type { ToolSource } from "./tools/source.ts";
import { watchMemory } from "./watched-memory.ts";

/** Commands are quick; a few at a time keep /stop prompt under any load. */
const CONTROL_CONCURRENCY = 16;

export interface RuntimeOptions {
  /** The settings in force; asked anew whenever one is used that may change while the process runs. */
  readonly config: () => Config;
  readonly redis: RedisConnection;
  readonly target: RedisTarget;
  readonly partitions: number;
  readonly model: ModelClient;
  /** What people ask about with /usage; absent where nothing is counted. */
  readonly budgets?: Pick<Budgets, "usage" | "extend">;
  /** What people do with MCP servers; absent where there are none. */
  readonly mcp?: Pick<McpTools, "command">;
  /** The models a conversation may choose from; absent where there is no choice. */
  readonly models?: ModelChoices;
  /** What people connect; absent where nothing can be encrypted. */
  readonly credentials?: CredentialStore;
  /** Where else something of people is kept. */
  readonly personalData?: readonly PersonalData[];
  /** Where the API answers people; undefined where it is not known. */
  readonly address?: () => string | undefined;
  /** The hooks there are now; absent where none are loaded. */
  readonly hooks?: HookRunnerParts["hooks"];
  /** Makes the system prompt instead of the configured text; absent where only that is used. */
  readonly promptFunction?: Pick<PromptFunction, "prompt">;
  readonly metrics: Metrics;
  readonly newId: NewId;
  readonly log: Log;
  /** The chat platforms; only those that need no account unless told otherwise. */
  readonly adapters?: MakeAdapters;
  /** Tools besides the built-in ones. */
  readonly tools?: readonly Tool[];
  /** Where further tools come from, the strongest first. */
  readonly toolSources?: readonly { readonly label: string; readonly source: ToolSource }[];
}

/** The durable part put together: the door in, the lanes, what runs in them, and what is remembered. */
export function createRuntime(options: RuntimeOptions) {
  const { redis, partitions, metrics, newId, log } = options;
  const model = meterModel(options.model, metrics);
  const config = options.config();
  const clock = systemClock;
  const lanes = createLanes({ redis, partitions, newId, limits: { maxWaiting: config.queue.max_waiting } });
  const conversations = createConversationStore(redis);
  const hooks =
    options.hooks === undefined
      ? undefined
      : createHookRunner({
          hooks: options.hooks,
          limits: () => {
            const { timeout_s, max_failures } = options.config().hooks;
            return { timeoutMs: timeout_s * 1000, maxFailures: max_failures };
          },
          log,
          onCall: (point, outcome) => metrics.hookCalled(point, outcome),
        });
  const withHooks = hooks === undefined ? {} : { hooks };
  const ends = hooks === undefined ? undefined : createRunEnds(hooks);
  const stored = createMemoryStore(redis);
  const memory = hooks === undefined ? stored : watchMemory(stored, hooks);
  const links = createLinkStore(redis);
  const artifacts = createArtifactStore(redis, {
    limits: () => artifactLimits(options.config()),
    clock,
    onCreated: (workspaceId, { id, name, mediaType: mimeType, bytes }) =>
      hooks?.tell("onArtifact", { workspaceId, id, name, mimeType, bytes }),
  });
  const results = createResultStore(redis, { clock });
  const uploadLimits = () => {
    const { attachments: limits } = options.config();
    return {
      maxFiles: limits.max_files,
      maxBytes: limits.max_bytes,
      quotaBytes: limits.quota_bytes,
      maxRequestBytes: limits.max_request_bytes,
    };
  };
  const uploads = createUploadStore(redis, { limits: uploadLimits, clock });
  const adapters = (options.adapters ?? recordedAdapters)((platform) => ({
    clock,
    log: log.with({ platform }),
    notes: createPlatformNotes(redis, platform),
    readFile: (file) => artifacts.read(file.user_id, file.artifact_id),
  })).map((adapter) => (adapter.sendSafety === "by-record" ? adapter : withBulkhead(adapter, { clock, log })));
  const attachments = createAttachmentIntake({
    uploads,
    resolve: (account) => links.resolve(account),
    limits: uploadLimits,
  });
  const files = createFileReader({
    uploads,
    results,
    extract: createExtract(),
    transcribe,
    download: createSafeDownload(),
    fetchFromPlatform: fetchFromPlatform(adapters),
    settings: () => readerSettings(options.config()),
    clock,
  });
  const shown = createShownStore(redis);
  const presence = createPresence({ adapters, shown, log });
  const watchers = createLive(redis);
  const live: Live = {
    tell(conversation, event) {
      presence.tell(conversation, event);
      watchers.tell(conversation, event);
    },
  };
  const tickets = createTicketStore(redis);
  const address = options.address ?? (() => undefined);
  const scheduling = openSchedules({
    lanes,
    conversations,
    memory,
    door: () => door,
    config: options.config,
    clock,
    newId,
    log,
    onChange: (change) => hooks?.tell("onSchedule", change),
  });
  const privacy = createPrivacy({
    data: [
      createConversationData({ lanes, conversations, clock, newId }),
      createMemoryData(memory),
      createFileData({ artifacts, uploads, results }),
      createScheduleData(scheduling.schedules),
      ...(options.personalData ?? []),
      ...(options.credentials === undefined ? [] : [createCredentialData(options.credentials)]),
      createBudgetData(createBudgetStore(redis)),
      createLinkData(links),
    ],
    progress: createForgettingStore(redis),
    namesOf: async (person) => [person, ...(await links.list(person)).map(({ identity }) => identity)],
    clock,
    newId,
  });
  const catalog = createCatalog(
    [
      ...builtinTools({ memory, artifacts, results, fetchPage: createSafeFetch(), zoneOf: scheduling.zoneOf }),
      ...scheduleTools(scheduling.schedules),
      ...(options.tools ?? []),
    ],
    options.toolSources ?? [],
    (tool) => meterTool(tool, metrics),
  );
  const toolboxFor = (workspace: WorkspaceId) => catalog.toolboxFor(workspace);
  const defaultQueueMode = () => options.config().queue.mode;
  const keepMs = lanes.limits.recordMs;

  const door = createDoor({
    lanes,
    conversations,
    live,
    clock,
    newId,
    log,
    defaultQueueMode,
    links,
    onAdmitted: (message, status) => metrics.messageAdmitted(platformOf(message.conversationId), status),
  });

  const presses = createPressStore(redis);
  const pairings = createPairingStore(redis, clock);
  const gateway = createGateway({
    door,
    lanes,
    conversations,
    attachments,
    links,
    pairings,
    presses,
    isCommand,
    rules: () => accessRules(options.config()),
    clock,
  });

  const commandParts: CommandParts = {
    lanes,
    clock,
    conversations,
    memory,
    toolboxFor,
    defaultQueueMode,
    admins: () => options.config().admins,
    ...(options.budgets === undefined ? {} : { usage: usageText(options.budgets, options.config) }),
    ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
    ...withHooks,
    privacy: { privacy, tickets, address },
    link: { links, memory },
    pairings,
    ...(options.models === undefined ? {} : { models: options.models }),
    ...(options.credentials === undefined
      ? {}
      : { credentials: { credentials: options.credentials, tickets, address } }),
    schedules: scheduling,
    lastRun: (conversation) => lastRun(conversation, { lanes }),
  };

  const chat = createChatHandler({
    model,
    lanes,
    approvals: () => approvalPolicy(options.config()),
    toolboxFor,
    results,
    files,
    uploads,
    live,
    clock,
    log,
    privacy,
    conversations,
    ...withHooks,
    ...(ends === undefined ? {} : { ends }),
    ...(options.models === undefined ? {} : { models: options.models }),
    ...(options.budgets === undefined ? {} : { extension: budgetExtension(options.budgets, options.config) }),
    get limits() {
      return chatLimits(options.config(), keepMs);
    },
    hideSecrets: createSecretHider(memory),
    systemPrompt: createSystemPrompt({
      prompt: async (context) => {
        const made = await options.promptFunction?.prompt(context);
        const { bot } = options.config();
        return `Your name is ${bot.name}. ${made ?? bot.prompt_text}`;
      },
      hint: (platform) => options.config().platform_hints[platform],
      memory,
      clock,
    }),
    forgetMemory: async (workspace) => {
      const { entries, unreadable } = await memory.list(workspace);
      await memory.eraseMemory(workspace);
      return entries.length + unreadable.length;
    },
  });

  const roles: Record<string, Role> = {
    chat: { handler: chat, concurrency: config.worker.chat_concurrency },
    control: {
      handler: createControlHandler({ ...commandParts, log, keepMs }),
      concurrency: CONTROL_CONCURRENCY,
    },
    [SCHEDULE_LANE]: scheduling.role,
    out: {
      handler: createDeliveryHandler({
        adapters,
        lanes,
        presses,
        drafts: shown,
        clock,
        log,
        limits: () => deliveryLimits(options.config(), keepMs),
        onDelivered: (message, result) => metrics.delivered(platformOf(message.conversationId), result),
      }),
      concurrency: config.worker.delivery_concurrency,
    },
  };

  const worker = createWorker({
    lanes,
    connect: (purpose) => connectRedis(options.target, purpose, log),
    roles,
    clock,
    newId,
    log,
    events: {
      started: (claim) => {
        metrics.setActiveRuns(worker.active());
        if (claim.lane.startsWith("chat/")) presence.begin(conversationOf(claim.lane), claim.runId);
      },
      ended: (claim, executed, ms) => {
        if (claim.lane.startsWith("chat/")) presence.end(conversationOf(claim.lane), claim.runId);
        ends?.over(claim.token, executed.kind === "finished");
        metrics.setActiveRuns(worker.active());
        if (!claim.lane.startsWith("chat/") || executed.kind !== "finished") return;
        const end = executed.end === "done" ? "answered" : (executed.end ?? "answered");
        metrics.runFinished(end, ms);
      },
      reaped: () => metrics.workersReaped(1),
    },
  });

  const sweeper = scheduling.createSweeper((message) => {
    metrics.messageAdmitted(platformOf(message.conversationId), "started");
    const { id: message_id, text } = message;
    live.tell(message.conversationId, { type: "message.received", message_id, text, position: 0 });
  });

  return {
    lanes,
    adapters,
    gateway,
    presence,
    pairings,
    leases: createLeaseStore(redis),
    conversations,
    memory,
    artifacts,
    attachments,
    catalog,
    door,
    worker,
    sweeper,
    schedules: scheduling.schedules,
    clock,
    links,
    tickets,
    privacy,
    hooks,
  };
}

/** Asks the platform a message came from for a file of it. */
function fetchFromPlatform(adapters: readonly PlatformAdapter[]): FetchFromPlatform {
  return ({ conversationId, ref }, limits) => {
    const platform = platformOf(conversationId);
    const adapter = adapters.find(({ name }) => name === platform);
    if (adapter?.fetchFile === undefined)
      throw new OutsideError(`files of ${platform} cannot be fetched here`, { code: "not-found" });
    return adapter.fetchFile(ref, limits);
  };
}

export type Runtime = ReturnType<typeof createRuntime>;
