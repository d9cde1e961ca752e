import { createHash } from "node:crypto";
import { z } from "zod";
import { OutsideError } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { withDeadline } from "../deadline.ts";
import { describeAnswer } from "./answer-failure.ts";
import { createRedactor } from "./redact.ts";
import type { HttpRequest } from "./request.ts";
import type { Auth } from "./schema.ts";
import type { HttpAnswer } from "./send.ts";
import { parseJson } from "../../kernel/json.ts";

/** A client whose credentials are exchanged for an access token. */
export interface TokenClient {
  readonly auth: Extract<Auth, { type: "oauth2" }>;
  readonly clientSecret: Secret;
  /** Sends the request to the token service; must hold the address guard. */
  readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
}

/** Access tokens of this process, kept until shortly before they expire. */
export interface AccessTokens {
  /** A token that is good now. Callers that come together share one request. Throws `OutsideError`. */
  get(client: TokenClient, now: number): Promise<Secret>;
  /** Forgets a token that was refused; another one that came in its place stays. */
  drop(client: TokenClient, refused: Secret): void;
}

const MAX_TOKENS = 1_000;
const DEADLINE_MS = 20_000;
/** What is left of a token's time when it is no longer used: a call takes time too. */
const EARLY_MS = 30_000;
/** For how long a token is used that does not say when it expires. */
const UNKNOWN_LIFE_MS = 5 * 60_000;

/** Makes an empty cache. `signal` ends requests that are under way. */
export function createAccessTokens(signal: AbortSignal): AccessTokens {
  const tokens = new Map<string, { readonly token: Secret; readonly until: number }>();
  const pending = new Map<string, Promise<Secret>>();

  const fetchToken = async (key: string, client: TokenClient, now: number): Promise<Secret> => {
    const { token, lifeMs } = await requestToken(client, signal, now);
    const [oldest] = tokens.keys();
    if (oldest !== undefined && tokens.size >= MAX_TOKENS) tokens.delete(oldest);
    tokens.set(key, { token, until: now + lifeMs });
    return token;
  };

  return {
    get(client, now) {
      const key = keyOf(client);
      const kept = tokens.get(key);
      if (kept !== undefined && now < kept.until) return Promise.resolve(kept.token);
      tokens.delete(key);
      const running = pending.get(key);
      if (running !== undefined) return running;
      // Not tied to the call that asked first: others wait for the same token.
      const started = fetchToken(key, client, now).finally(() => pending.delete(key));
      pending.set(key, started);
      return started;
    },
    drop(client, refused) {
      const key = keyOf(client);
      if (tokens.get(key)?.token === refused) tokens.delete(key);
    },
  };
}

// Equal for everybody who would get the same token; a person's own secret makes a token of their own.
function keyOf({ auth, clientSecret }: TokenClient): string {
  const { token_url, client_id, scopes, audience } = auth;
  const parts = [token_url, client_id, clientSecret.reveal(), scopes, audience ?? null];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

const replySchema = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});

async function requestToken(
  client: TokenClient,
  signal: AbortSignal,
  now: number,
): Promise<{ readonly token: Secret; readonly lifeMs: number }> {
  const { host } = new URL(client.auth.token_url);
  const asked = `the token service ${host}`;
  const late = () =>
    new OutsideError(`${asked} did not answer within ${DEADLINE_MS / 1000} s`, {
      code: "timeout",
      retry: { kind: "after" },
    });
  const answer = await withDeadline({ ms: DEADLINE_MS, signal, late }, (either) =>
    client.send(tokenRequest(client), either),
  );
  if (answer.status !== 200) {
    const redactor = createRedactor([client.clientSecret.reveal()]);
    const failure = describeAnswer(answer, { asked, effect: "read", redactor, now });
    // These services say "bad request" when they do not know the client.
    if (failure.code !== "bad-request") throw failure;
    throw new OutsideError(failure.message, { code: "unauthorized" });
  }
  const reply = replySchema.safeParse(parseJson(new TextDecoder().decode(answer.body)));
  if (!reply.success) throw new OutsideError(`${asked} gave no access token`, { code: "garbled" });
  const { access_token, expires_in } = reply.data;
  const lifeMs = expires_in === undefined ? UNKNOWN_LIFE_MS : Math.max(0, expires_in * 1000 - EARLY_MS);
  return { token: new Secret(access_token), lifeMs };
}

function tokenRequest({ auth, clientSecret }: TokenClient): HttpRequest {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (auth.scopes.length > 0) form.set("scope", auth.scopes.join(" "));
  if (auth.audience !== undefined) form.set("audience", auth.audience);
  const headers: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
  };
  if (auth.send_client_in === "header") {
    headers["authorization"] = `Basic ${btoa(`${formEncode(auth.client_id)}:${formEncode(clientSecret.reveal())}`)}`;
  } else {
    form.set("client_id", auth.client_id);
    form.set("client_secret", clientSecret.reveal());
  }
  return { method: "POST", url: new URL(auth.token_url), headers, body: form.toString() };
}

// RFC 6749 has both parts encoded like a form's values first.
function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
