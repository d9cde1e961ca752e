import { OutsideError } from "../../kernel/errors.ts";
import type { Abilities, PlatformAdapter } from "../contract.ts";
import type { Gateway, Listener, ListenContext, Webhook } from "../listening.ts";
import type { AdapterParts } from "../parts.ts";
import { clientOptions, createSlackApi } from "./api.ts";
import { renderForSlack } from "./blocks.ts";
import { createFiles } from "./files.ts";
import { createHandlers } from "./handlers.ts";
import { createIdentity } from "./identity.ts";
import { listen } from "./listen.ts";
import { createPeople } from "./people.ts";
import { createPresence } from "./presence.ts";
import { createRouter } from "./router.ts";
import { sendText } from "./send.ts";
import { createWebhook } from "./webhook.ts";

export interface SlackOptions {
  /** The bot token, `xoxb-…`. */
  readonly botToken: string;
  /** The app-level token, `xapp-…`: events come by Socket Mode. */
  readonly appToken?: string | undefined;
  /** The signing secret: events come to `POST /slack/events`. */
  readonly signingSecret?: string | undefined;
  /** Another address of the Web API. */
  readonly apiUrl?: string | undefined;
  readonly fetch?: typeof fetch;
  /** Without a sign of life for this long a connection counts as dead, milliseconds. */
  readonly silenceMs?: number;
  /** How often the bot token is looked after, milliseconds. */
  readonly selfCheckMs?: number;
}

const SLACK_API = "https://slack.com/api/";
const SILENCE_MS = 15_000;
const SELF_CHECK_MS = 600_000;

const NO_WAY_IN =
  "Slack has a bot token but no way for messages to come in: set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (POST /slack/events)";

const ABILITIES: Abilities = {
  edit: true,
  typing: true,
  stream: true,
  threads: true,
  buttons: true,
  files: true,
  reactions: false,
  ephemeral: true,
  history: true,
};

/** Creates the adapter of one Slack workspace. Nothing is called before something is sent or listened to. */
export function createSlackAdapter(options: SlackOptions, parts: AdapterParts): PlatformAdapter {
  const { clock, log, notes } = parts;
  const apiOptions = {
    botToken: options.botToken,
    apiUrl: withSlash(options.apiUrl ?? SLACK_API),
    fetch: options.fetch ?? fetch,
  };
  const api = createSlackApi(apiOptions, log);
  const identity = createIdentity(api);
  const people = createPeople(api, clock);
  const files = createFiles(api, apiOptions, parts);

  const incoming = (gateway: Gateway) => {
    const handlers = createHandlers({ api, identity, people, gateway, notes, clock, log });
    return { handlers, deliver: createRouter(handlers, log) };
  };

  const listener: Listener = {
    exclusive: false,
    listen: async (context: ListenContext) => {
      const { appToken, signingSecret, silenceMs = SILENCE_MS, selfCheckMs = SELF_CHECK_MS } = options;
      if (appToken === undefined && signingSecret === undefined) throw new OutsideError(NO_WAY_IN, { code: "refused" });
      const client = clientOptions(apiOptions, log);
      const socket = appToken === undefined ? undefined : { appToken, client, silenceMs };
      await listen({ api, identity, ...incoming(context.gateway), notes, clock, log, socket, selfCheckMs }, context);
    },
    webhooks: ({ gateway, heard }): readonly Webhook[] => {
      const { signingSecret } = options;
      if (signingSecret === undefined) return [];
      const { deliver } = incoming(gateway);
      return [createWebhook({ signingSecret, deliver, heard, clock, log })];
    },
  };

  return {
    name: "slack",
    sendSafety: "by-key",
    abilities: ABILITIES,
    render: renderForSlack,
    send: (part, context) =>
      part.file === undefined ? sendText(api, part, context) : files.send(part, part.file, context),
    presence: createPresence(api, notes, log),
    listener,
    fetchFile: (ref, limits) => files.fetch(ref, limits),
  };
}

const withSlash = (url: string): string => (url.endsWith("/") ? url : `${url}/`);
