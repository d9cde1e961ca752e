import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { FetchedFile, Part, Posted, SendContext } from "../contract.ts";
import type { AdapterParts } from "../parts.ts";
import type { ApiOptions, SlackApi } from "./api.ts";
import { refusal } from "./errors.ts";
import { spotOf } from "./ids.ts";
import type { SlackFile } from "./methods.ts";

/** Files in both directions. */
export interface SlackFiles {
  send(part: Part, file: NonNullable<Part["file"]>, context: SendContext): Promise<Posted>;
  fetch(ref: string, limits: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<FetchedFile>;
}

const DAY_MS = 86_400_000;

/**
 * Creates the exchange of files. Slack gives a file its id before it is shared: the id is noted first, so that a
 * repeated send finds out whether that very file was shared.
 */
export function createFiles(
  api: SlackApi,
  options: ApiOptions,
  { notes, readFile }: Pick<AdapterParts, "notes" | "readFile">,
): SlackFiles {
  const { fetch, botToken, apiUrl } = options;

  return {
    send: async (part, file, { signal }) => {
      const { channel, thread } = spotOf(part.conversationId);
      const note = `upload:${part.id}`;
      const share = (id: string) =>
        api.call(
          "files.completeUploadExternal",
          {
            files: [{ id, title: file.name }],
            channel_id: channel,
            ...(thread === undefined ? {} : { thread_ts: thread }),
          },
          { signal },
        );

      const earlier = await notes.read(note);
      if (earlier !== undefined) {
        const shared = await findFile(earlier, signal);
        if (shared !== undefined) return { postedId: postedAs(shared, channel) ?? earlier };
        try {
          await share(earlier);
          return { postedId: await nameOf(earlier, channel, signal) };
        } catch (error) {
          if (refusal(error) !== "file_not_found") throw error;
        }
      }

      const content = await readFile(file);
      if (content === undefined)
        throw new OutsideError(`The file ${file.name} is no longer kept and cannot be sent`, { code: "not-found" });
      const upload = { filename: file.name, length: content.length };
      const { upload_url: url, file_id: id } = await api.call("files.getUploadURLExternal", upload, { signal });
      await put(url, content, signal);
      await notes.write(note, id, DAY_MS);
      await share(id);
      return { postedId: await nameOf(id, channel, signal) };
    },

    fetch: async (ref, { maxBytes, signal }) => {
      const { file } = await api.call("files.info", { file: ref }, { signal });
      const url = file.url_private_download ?? file.url_private;
      if (url === undefined || url === null)
        throw new OutsideError(`Slack keeps the file ${ref} elsewhere; it cannot be fetched`, { code: "not-found" });
      const response = await request(
        url,
        { headers: { authorization: `Bearer ${botToken}` }, signal },
        `the file ${ref}`,
      );
      const type = response.headers.get("content-type")?.split(";")[0]?.trim();
      // To a token without the scope Slack shows the page to log in, as if that were the file.
      if (response.status >= 300 || (type === "text/html" && file.mimetype !== "text/html")) {
        await response.body?.cancel();
        throw refused(response.status, ref);
      }
      const { content, more } = await readUpTo(response, maxBytes, ref);
      const mimeType = file.mimetype ?? type;
      return { content, more, ...(mimeType === undefined ? {} : { mimeType }) };
    },
  };

  async function findFile(id: string, signal: AbortSignal): Promise<SlackFile | undefined> {
    try {
      return (await api.call("files.info", { file: id }, { signal })).file;
    } catch (error) {
      if (refusal(error) === "file_not_found") return undefined;
      throw error;
    }
  }

  /** The message of a shared file, as far as Slack tells already; else the file's own id. */
  async function nameOf(id: string, channel: string, signal: AbortSignal): Promise<string> {
    try {
      const file = await findFile(id, signal);
      return (file === undefined ? undefined : postedAs(file, channel)) ?? id;
    } catch {
      return id;
    }
  }

  async function put(url: string, content: Buffer, signal: AbortSignal): Promise<void> {
    const response = await request(url, { method: "POST", body: new Uint8Array(content), signal }, "the upload");
    await response.body?.cancel();
    if (response.status !== 200)
      throw new OutsideError(`Slack answered the upload of a file with HTTP ${response.status}`, {
        code: response.status >= 500 ? "unavailable" : "refused",
        retry: response.status >= 500 || response.status === 429 ? { kind: "after" } : { kind: "never" },
      });
  }

  async function request(url: string, init: RequestInit, what: string): Promise<Response> {
    if (!isSlacks(url, apiUrl))
      throw new OutsideError(`Slack named a foreign address for ${what}: the token is not sent there`, {
        code: "refused",
      });
    try {
      return await fetch(url, { ...init, redirect: "manual" });
    } catch (error) {
      throw new OutsideError(`Slack could not be reached for ${what}: ${describeError(error)}`, {
        code: "unavailable",
        retry: { kind: "after" },
        cause: error,
      });
    }
  }
}

/** Whether an address is Slack's own, or on the configured API's host. */
export function isSlacks(url: string, apiUrl: string): boolean {
  const { protocol, host, hostname } = new URL(url);
  if (host === new URL(apiUrl).host) return true;
  return protocol === "https:" && (hostname === "slack.com" || hostname.endsWith(".slack.com"));
}

/** The message that shows the file in this channel. */
function postedAs({ shares }: SlackFile, channel: string): string | undefined {
  return (shares?.public?.[channel] ?? shares?.private?.[channel])?.[0]?.ts;
}

function refused(status: number, ref: string): OutsideError {
  if (status === 404) return new OutsideError(`The file ${ref} is gone from Slack`, { code: "not-found" });
  if (status === 429 || status >= 500)
    return new OutsideError(`Slack answered the file ${ref} with HTTP ${status}`, {
      code: "unavailable",
      retry: { kind: "after" },
    });
  return new OutsideError(
    `Slack does not give the file ${ref} to the bot: add the scope files:read under OAuth & Permissions and install the app again`,
    { code: "forbidden" },
  );
}

async function readUpTo(
  response: Response,
  maxBytes: number,
  ref: string,
): Promise<{ content: Buffer; more: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop cancels the rest.
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      size += piece.length;
      if (size > maxBytes) break;
    }
  } catch (error) {
    throw new OutsideError(`The file ${ref} broke off on its way from Slack`, {
      code: "unavailable",
      retry: { kind: "after" },
      cause: error,
    });
  }
  return { content: Buffer.concat(pieces).subarray(0, maxBytes), more: size > maxBytes };
}
