import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Api } from "grammy";
import { telegramError } from "./errors.ts";
import { TELEGRAM_API, type TelegramOptions } from "./options.ts";

/** The form in which the library takes signals; the system's own are of that form too. */
export type ApiSignal = NonNullable<Parameters<Api["getMe"]>[0]>;

type Use<T> = (api: Api, signal: ApiSignal) => Promise<T>;

/** The Bot API. Every call is made once and bounded in time; it throws `TelegramError` and nothing else. */
export interface TelegramClient {
  /** `doing` completes "Telegram did not …" when it fails. */
  call<T>(doing: string, signal: AbortSignal, use: Use<T>): Promise<T>;
  /** The same for what takes long because of its size. */
  upload<T>(doing: string, signal: AbortSignal, use: Use<T>): Promise<T>;
  /** The same for waiting for updates, `seconds` at most. */
  poll<T>(signal: AbortSignal, use: (api: Api, seconds: number, signal: ApiSignal) => Promise<T>): Promise<T>;
  /** The address of a file's content. It holds the token: to be fetched, never to be kept or shown. */
  fileUrl(path: string): string;
  close(): void;
}

const CALL_SECONDS = 30;
const UPLOAD_SECONDS = 300;
/** How long Telegram holds a poll open. Longer saves little; shorter notices a dead connection sooner. */
const POLL_SECONDS = 25;
const POLL_GRACE_SECONDS = 10;
/** An idle connection is not used for longer than servers keep it: a call on a dead one has an unknown outcome. */
const IDLE_MS = 10_000;

/** Builds a client; nothing is connected before the first call. */
export function createTelegramClient({ token, apiUrl = TELEGRAM_API }: TelegramOptions): TelegramClient {
  const apiRoot = apiUrl.replace(/\/+$/, "");
  const agentOptions = { keepAlive: true, timeout: IDLE_MS };
  const agent = apiRoot.startsWith("http:") ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions);
  const api = (timeoutSeconds: number) =>
    new Api(token, { apiRoot, timeoutSeconds, baseFetchConfig: { agent, compress: true } });
  const calls = api(CALL_SECONDS);
  const uploads = api(UPLOAD_SECONDS);
  const polls = api(POLL_SECONDS + POLL_GRACE_SECONDS);
  const run = async <T>(doing: string, signal: AbortSignal, use: (signal: ApiSignal) => Promise<T>): Promise<T> => {
    try {
      return await use(signal as unknown as ApiSignal);
    } catch (error) {
      throw telegramError(error, doing);
    }
  };
  return {
    call: (doing, signal, use) => run(doing, signal, (given) => use(calls, given)),
    upload: (doing, signal, use) => run(doing, signal, (given) => use(uploads, given)),
    poll: (signal, use) => run("give its updates", signal, (given) => use(polls, POLL_SECONDS, given)),
    fileUrl: (path) => `${apiRoot}/file/bot${token}/${path.split("/").map(encodeURIComponent).join("/")}`,
    close: () => agent.destroy(),
  };
}
