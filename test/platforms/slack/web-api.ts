import { BOT_SCOPES, METHODS } from "../../../src/platforms/slack/methods.ts";
import { BOT, type KeptFile, type KeptMessage, TEAM, type Workspace } from "./workspace.ts";

/** The arguments of a call, JSON already read where Slack takes JSON. */
export type Args = Readonly<Record<string, string>>;
export type Result = { ok: true; [key: string]: unknown } | { ok: false; error: string; [key: string]: unknown };

/** What can be set about how the Web API behaves. */
export interface ApiRules {
  botToken: string;
  appToken: string;
  /** The scopes the bot token was granted. */
  scopes: readonly string[];
  /** What every call with the bot token is refused with, such as `token_revoked`. */
  refuseAll: string | undefined;
  /** Methods this workspace does not have. */
  readonly unknown: Set<string>;
  /** Triggers that may open a dialog. */
  readonly triggers: Set<string>;
  readonly views: Record<string, unknown>[];
  readonly statuses: { channel: string; thread: string; status: string }[];
  readonly titles: Map<string, string>;
  readonly prompts: Map<string, unknown>;
  /** Called when the bot posted, changed or removed a message. */
  told: (what: "posted" | "changed" | "deleted", message: KeptMessage, before?: KeptMessage) => void;
  url: () => string;
}

const no = (error: string, more: object = {}): Result => ({ ok: false, error, ...more });

const ALLOWED = new Set(BOT_SCOPES);

/** One method of the Web API, with Slack's own refusals. */
export function callMethod(method: string, args: Args, token: string, space: Workspace, rules: ApiRules): Result {
  if (token === "") return no("not_authed");
  if (method === "apps.connections.open") {
    if (token !== rules.appToken) return no("invalid_auth");
    return { ok: true, url: `${rules.url().replace("http", "ws")}/link/?ticket=1&app_id=1` };
  }
  if (token !== rules.botToken) return no("invalid_auth");
  if (rules.refuseAll !== undefined) return no(rules.refuseAll);
  const known = Object.entries(METHODS).find(([name]) => name === method)?.[1];
  if (known === undefined || rules.unknown.has(method)) return no("unknown_method", { req_method: method });
  const channel = args["channel"] ?? args["channel_id"];
  const needed = scopeOf(method, known.scopes, channel, space);
  if (needed !== undefined && ALLOWED.has(needed) && !rules.scopes.includes(needed))
    return no("missing_scope", { needed, provided: rules.scopes.join(",") });
  const handler = HANDLERS[method as keyof typeof METHODS];
  return handler(args, space, rules);
}

/** The scope of a history depends on the kind of channel; the others have one. */
function scopeOf(method: string, scopes: readonly string[], channel: string | undefined, space: Workspace) {
  if (scopes.length < 2) return scopes[0];
  const kind = space.channels.get(channel ?? "")?.direct === true ? "im" : "channels";
  return `${kind}:${method === "conversations.info" ? "read" : "history"}`;
}

type Handler = (args: Args, space: Workspace, rules: ApiRules) => Result;

const HANDLERS: Readonly<Record<keyof typeof METHODS, Handler>> = {
  "auth.test": (_, __, rules) => ({
    ok: true,
    url: rules.url(),
    team: "Parley's tests",
    user: BOT.name,
    team_id: TEAM,
    user_id: BOT.id,
    bot_id: BOT.botId,
  }),
  "chat.postMessage": (args, space, rules) => {
    const refused = refuseChannel(args, space) ?? refuseContent(args);
    if (refused !== undefined) return refused;
    const message = space.add({
      channel: args["channel"] ?? "",
      user: BOT.id,
      bot_id: BOT.botId ?? "",
      text: (args["text"] ?? "").slice(0, 40_000),
      ...(args["thread_ts"] === undefined ? {} : { thread_ts: args["thread_ts"] }),
      ...contentOf(args),
    });
    rules.told("posted", message);
    return { ok: true, channel: message.channel, ts: message.ts, message: publicMessage(message, rules, true) };
  },
  "chat.update": (args, space, rules) => {
    const refused = refuseChannel(args, space) ?? refuseContent(args);
    if (refused !== undefined) return refused;
    const message = own(args, space);
    if (typeof message === "string") return no(message);
    const before = { ...message };
    message.text = args["text"] ?? message.text;
    // What is not given stays: blocks above all.
    Object.assign(message, contentOf(args));
    message.edited = { user: BOT.id, ts: space.nextTs() };
    space.changed();
    rules.told("changed", message, before);
    return { ok: true, channel: message.channel, ts: message.ts, text: message.text };
  },
  "chat.delete": (args, space, rules) => {
    const message = own(args, space);
    if (typeof message === "string") return no(message === "cant_update_message" ? "cant_delete_message" : message);
    space.remove(message);
    rules.told("deleted", message);
    return { ok: true, channel: message.channel, ts: message.ts };
  },
  "chat.postEphemeral": (args, space) => {
    const refused = refuseChannel(args, space);
    if (refused !== undefined) return refused;
    if (!space.accounts.has(args["user"] ?? "")) return no("user_not_in_channel");
    space.ephemerals.push({
      channel: args["channel"] ?? "",
      user: args["user"] ?? "",
      text: args["text"] ?? "",
      thread_ts: args["thread_ts"],
    });
    space.changed();
    return { ok: true, message_ts: space.nextTs() };
  },
  "chat.startStream": (args, space, rules) => {
    const refused = refuseChannel(args, space);
    if (refused !== undefined) return refused;
    const channel = space.channels.get(args["channel"] ?? "");
    if (args["thread_ts"] === undefined) return no("invalid_arguments");
    if (channel?.direct !== true && args["recipient_user_id"] === undefined) return no("missing_recipient_user_id");
    if (channel?.direct !== true && args["recipient_team_id"] !== TEAM) return no("missing_recipient_team_id");
    if ((args["markdown_text"] ?? "").length > 12_000) return no("msg_too_long");
    const message = space.add({
      channel: args["channel"] ?? "",
      user: BOT.id,
      bot_id: BOT.botId ?? "",
      text: args["markdown_text"] ?? "",
      blocks: [{ type: "markdown", text: args["markdown_text"] ?? "" }],
      thread_ts: args["thread_ts"],
      streaming: true,
    });
    rules.told("posted", message);
    return { ok: true, channel: message.channel, ts: message.ts };
  },
  "chat.appendStream": (args, space) => {
    const message = own(args, space);
    if (typeof message === "string") return no(message);
    if (message.streaming !== true) return no("message_not_in_streaming_state");
    if ((args["markdown_text"] ?? "").length > 12_000) return no("msg_too_long");
    message.text += args["markdown_text"] ?? "";
    message.blocks = [{ type: "markdown", text: message.text }];
    space.changed();
    return { ok: true, channel: message.channel, ts: message.ts };
  },
  "chat.stopStream": (args, space) => {
    const message = own(args, space);
    if (typeof message === "string") return no(message);
    if (message.streaming !== true) return no("message_not_in_streaming_state");
    delete message.streaming;
    Object.assign(message, contentOf(args));
    space.changed();
    return { ok: true, channel: message.channel, ts: message.ts };
  },
  "conversations.history": (args, space, rules) => {
    const refused = refuseChannel(args, space);
    if (refused !== undefined) return refused;
    const inChannel = space.messages.filter(
      ({ channel, ts, thread_ts }) => channel === args["channel"] && (thread_ts === undefined || thread_ts === ts),
    );
    return page(within(inChannel, args).toReversed(), args, space, rules);
  },
  "conversations.replies": (args, space, rules) => {
    const refused = refuseChannel(args, space);
    if (refused !== undefined) return refused;
    const parent = space.message(args["channel"] ?? "", args["ts"] ?? "");
    if (parent === undefined) return no("thread_not_found");
    const replies = space.messages.filter(
      (message) => message.channel === parent.channel && message.thread_ts === parent.ts && message !== parent,
    );
    return page([parent, ...within(replies, args)], args, space, rules);
  },
  "conversations.info": (args, space) => {
    const channel = space.channels.get(args["channel"] ?? "");
    if (channel === undefined) return no("channel_not_found");
    return { ok: true, channel: { id: channel.id, name: channel.name, is_member: channel.botIsMember } };
  },
  "users.info": (args, space) => {
    const account = space.accounts.get(args["user"] ?? "");
    if (account === undefined) return no("user_not_found");
    const { id, name, isBot } = account;
    return { ok: true, user: { id, name: name.toLowerCase(), is_bot: isBot, profile: { display_name: name } } };
  },
  "files.info": (args, space, rules) => {
    const file = space.files.get(args["file"] ?? "");
    return file?.complete === true ? { ok: true, file: publicFile(file, rules) } : no("file_not_found");
  },
  "files.getUploadURLExternal": (args, space, rules) => {
    const name = args["filename"] ?? "";
    if (name === "" || !/^\d+$/.test(args["length"] ?? "")) return no("invalid_arguments");
    const file: KeptFile = {
      id: space.newId("F"),
      name,
      mimeType: TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream",
      content: Buffer.alloc(0),
      user: BOT.id,
      shared: undefined,
      complete: false,
    };
    space.files.set(file.id, file);
    return { ok: true, upload_url: `${rules.url()}/upload/v1/${file.id}`, file_id: file.id };
  },
  "files.completeUploadExternal": (args, space, rules) => {
    const [asked] = JSON.parse(args["files"] ?? "[]") as { id: string; title?: string }[];
    const file = space.files.get(asked?.id ?? "");
    if (file === undefined || file.complete || file.content.length === 0) return no("file_not_found");
    const refused = refuseChannel({ channel: args["channel_id"] ?? "" }, space);
    if (refused !== undefined) return refused;
    file.complete = true;
    const message = space.add({
      channel: args["channel_id"] ?? "",
      user: BOT.id,
      bot_id: BOT.botId ?? "",
      subtype: "file_share",
      text: "",
      ...(args["thread_ts"] === undefined ? {} : { thread_ts: args["thread_ts"] }),
      files: [file],
    });
    file.shared = { channel: message.channel, ts: message.ts };
    rules.told("posted", message);
    return { ok: true, files: [{ id: file.id, title: asked?.title }] };
  },
  "views.open": (args, space, rules) => {
    if (!rules.triggers.delete(args["trigger_id"] ?? "")) return no("expired_trigger_id");
    const view = JSON.parse(args["view"] ?? "{}") as Record<string, unknown>;
    const blocks = view["blocks"] as Record<string, unknown>[] | undefined;
    if (view["type"] !== "modal" || blocks === undefined || blocks.length > 100 || badBlock(blocks))
      return no("invalid_arguments");
    rules.views.push({ ...view, id: space.newId("V") });
    space.changed();
    return { ok: true, view: rules.views.at(-1) };
  },
  "assistant.threads.setStatus": (args, space, rules) => {
    if (args["thread_ts"] === undefined) return no("invalid_thread_ts");
    rules.statuses.push({
      channel: args["channel_id"] ?? "",
      thread: args["thread_ts"],
      status: args["status"] ?? "",
    });
    space.changed();
    return { ok: true };
  },
  "assistant.threads.setTitle": (args, space, rules) => {
    rules.titles.set(`${args["channel_id"]}:${args["thread_ts"]}`, args["title"] ?? "");
    space.changed();
    return { ok: true };
  },
  "assistant.threads.setSuggestedPrompts": (args, space, rules) => {
    rules.prompts.set(`${args["channel_id"]}:${args["thread_ts"]}`, JSON.parse(args["prompts"] ?? "[]"));
    space.changed();
    return { ok: true };
  },
};

/** Slack looks at a file's name to tell its type. */
const TYPES: Readonly<Record<string, string>> = {
  txt: "text/plain",
  csv: "text/csv",
  md: "text/markdown",
  html: "text/html",
  json: "application/json",
  pdf: "application/pdf",
  png: "image/png",
  jpg: "image/jpeg",
};

function refuseChannel(args: Args, space: Workspace): Result | undefined {
  const channel = space.channels.get(args["channel"] ?? "");
  if (channel === undefined) return no("channel_not_found");
  if (channel.archived) return no("is_archived");
  return channel.botIsMember ? undefined : no("not_in_channel");
}

function refuseContent(args: Args): Result | undefined {
  const { text = "", blocks } = args;
  if (text === "" && (blocks === undefined || blocks === "[]")) return no("no_text");
  if (args["metadata"] !== undefined && contentOf(args).metadata?.event_type === undefined)
    return no("invalid_metadata_format");
  const parsed = contentOf(args).blocks ?? [];
  const bad = badBlock(parsed) ?? (parsed.length > 50 ? "too many blocks" : undefined);
  if (bad !== undefined)
    return no("invalid_blocks", { errors: [bad], response_metadata: { messages: [`[ERROR] ${bad}`] } });
  return undefined;
}

/** What Slack would refuse about the blocks. */
function badBlock(blocks: readonly Record<string, unknown>[]): string | undefined {
  const ids = new Set<unknown>();
  for (const block of blocks) {
    const text = (block["text"] as { text?: string } | undefined)?.text;
    if (block["type"] === "section" && (text === undefined || text === "" || text.length > 3_000))
      return "must be less than 3001 characters [json-pointer:/blocks/0/text/text]";
    if (block["type"] !== "actions") continue;
    const elements = block["elements"] as { action_id?: string; value?: string; text?: { text: string } }[];
    if (elements.length === 0 || elements.length > 25) return "must have between 1 and 25 items";
    for (const { action_id, value = "", text: label } of elements) {
      if (action_id === undefined || ids.has(action_id)) return "`action_id` must be unique";
      ids.add(action_id);
      if (value.length > 2_000 || (label?.text.length ?? 0) > 75) return "must be less than 76 characters";
    }
  }
  return undefined;
}

function contentOf(args: Args): Pick<KeptMessage, "blocks" | "metadata"> {
  return {
    ...(args["blocks"] === undefined ? {} : { blocks: JSON.parse(args["blocks"]) as Record<string, unknown>[] }),
    ...(args["metadata"] === undefined ? {} : { metadata: JSON.parse(args["metadata"]) as never }),
  };
}

function own(args: Args, space: Workspace): KeptMessage | string {
  const message = space.message(args["channel"] ?? "", args["ts"] ?? "");
  if (message === undefined) return "message_not_found";
  return message.user === BOT.id ? message : "cant_update_message";
}

function within(messages: readonly KeptMessage[], args: Args): KeptMessage[] {
  const { oldest = "0", latest } = args;
  const inclusive = args["inclusive"] === "true";
  return messages
    .toSorted((a, b) => Number(a.ts) - Number(b.ts))
    .filter(({ ts }) => (inclusive ? Number(ts) >= Number(oldest) : Number(ts) > Number(oldest)))
    .filter(({ ts }) => latest === undefined || Number(ts) < Number(latest) || (inclusive && ts === latest));
}

function page(messages: readonly KeptMessage[], args: Args, space: Workspace, rules: ApiRules): Result {
  const from = Number(args["cursor"] ?? 0);
  const limit = Math.min(Number(args["limit"] ?? 100), 999);
  const more = from + limit < messages.length;
  const found = messages.slice(from, from + limit).map((message) => ({
    ...publicMessage(message, rules, args["include_all_metadata"] === "true"),
    ...repliesOf(message, space),
  }));
  return {
    ok: true,
    messages: found,
    has_more: more,
    response_metadata: { next_cursor: more ? String(from + limit) : "" },
  };
}

function repliesOf(message: KeptMessage, space: Workspace) {
  const replies = space.messages.filter(
    ({ channel, ts, thread_ts }) => channel === message.channel && thread_ts === message.ts && ts !== message.ts,
  );
  return replies.length === 0
    ? {}
    : { thread_ts: message.ts, reply_count: replies.length, latest_reply: replies.at(-1)?.ts };
}

/** A message as Slack shows it to apps. */
export function publicMessage(message: KeptMessage, rules: Pick<ApiRules, "url">, metadata: boolean): object {
  const { metadata: marked, files, channel: _, streaming: __, ...rest } = message;
  return {
    ...rest,
    team: TEAM,
    ...(metadata && marked !== undefined ? { metadata: marked } : {}),
    ...(files === undefined ? {} : { files: files.map((file) => publicFile(file, rules)) }),
  };
}

function publicFile({ id, name, mimeType, content, user, shared }: KeptFile, rules: Pick<ApiRules, "url">): object {
  const url = `${rules.url()}/files-pri/${TEAM}-${id}/${encodeURIComponent(name)}`;
  return {
    id,
    name,
    title: name,
    mimetype: mimeType,
    size: content.length,
    user,
    mode: "hosted",
    url_private: url,
    url_private_download: url.replace("/files-pri/", "/files-pri/download/"),
    ...(shared === undefined ? {} : { shares: { public: { [shared.channel]: [{ ts: shared.ts }] } } }),
  };
}
