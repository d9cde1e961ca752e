import { webApi } from "@slack/bolt";
import { OutsideError } from "../../kernel/errors.ts";
import { unlessAborted } from "./aborting.ts";
import { outsideError } from "./errors.ts";
import { libraryLog } from "./library-log.ts";
import { type Method, METHODS, type Reply } from "./methods.ts";
import type { Log } from "../../kernel/ports.ts";

/** Calls to Slack's Web API. They are tried once: whoever sends owns waiting and repeating. */
export interface SlackApi {
  /** Throws `OutsideError` and nothing else. When `signal` aborts, nobody waits for the reply any longer. */
  call<M extends Method>(
    method: M,
    args: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal | undefined; readonly quick?: boolean },
  ): Promise<Reply<M>>;
}

export interface ApiOptions {
  readonly botToken: string;
  /** Ends with a slash, as Slack's own does. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
}

const TIMEOUT_MS = 15_000;
/** For what an acknowledgement waits for: Slack gives three seconds. */
const QUICK_TIMEOUT_MS = 1_500;

/** What every use of the client library is given: no retries and no waiting of its own. */
export function clientOptions(options: Omit<ApiOptions, "botToken">, log: Log): webApi.WebClientOptions {
  return {
    slackApiUrl: options.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: TIMEOUT_MS,
    allowAbsoluteUrls: false,
    fetch: options.fetch,
    logger: libraryLog(log),
  };
}

/** Creates the calls with the bot's token. */
export function createSlackApi(options: ApiOptions, log: Log): SlackApi {
  const patient = new webApi.WebClient(options.botToken, clientOptions(options, log));
  const quick = new webApi.WebClient(options.botToken, { ...clientOptions(options, log), timeout: QUICK_TIMEOUT_MS });

  return {
    call: async (method, args, { signal, quick: hurry = false } = {}) => {
      const { channel, channel_id: other } = args;
      const where = typeof channel === "string" ? channel : typeof other === "string" ? other : undefined;
      try {
        const called = (hurry ? quick : patient).apiCall(method, { ...args });
        const reply = await unlessAborted(called, signal, `The call of ${method} was given up`);
        const parsed = METHODS[method].reply.safeParse(reply);
        if (!parsed.success) {
          const path = parsed.error.issues[0]?.path.join(".") ?? "";
          throw new OutsideError(`Slack's answer to ${method} was not as documented at ${path}`, { code: "garbled" });
        }
        return parsed.data as Reply<typeof method>;
      } catch (error) {
        throw outsideError(error, { method, where });
      }
    },
  };
}
