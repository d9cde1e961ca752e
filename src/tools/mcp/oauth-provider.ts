import type {
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
} from "@modelcontextprotocol/client";
import { z } from "zod";
import { InvalidInput, OutsideError } from "../../kernel/errors.ts";
import type { Clock, NewId } from "../../kernel/ports.ts";
import type { OAuthClient } from "./server-spec.ts";
import type { ServerSecrets } from "./server-secrets.ts";

/** One person's sign-in to one server. */
export interface PersonSignIn {
  /** For the client library: keeps what it learns with the person's credentials. */
  readonly provider: OAuthClientProvider;
  /** The page of a sign-in that was begun and is not finished; undefined when there is none, or a sign-in is in force. */
  openPage(): Promise<string | undefined>;
  /** Whether this `state`, which came back from the page, is the one that was sent there. */
  isExpected(state: string): Promise<boolean>;
  /** Forgets a sign-in that was begun, because it is finished. */
  close(): Promise<void>;
}

export interface SignInOptions {
  readonly server: string;
  readonly secrets: ServerSecrets;
  /** Where the authorization server sends the person's browser. */
  readonly redirectUrl: string;
  /** What an administrator registered; unset means that it is registered when needed. */
  readonly client?: OAuthClient | undefined;
  readonly scope?: string | undefined;
  readonly newId: NewId;
  readonly clock: Clock;
}

/** How long a sign-in page that was handed out is good for. */
const PAGE_MS = 24 * 3_600_000;

const tokensSchema = z.looseObject({ access_token: z.string(), token_type: z.string() });
const clientSchema = z.looseObject({ client_id: z.string() });
const signInSchema = z.object({
  state: z.string(),
  verifier: z.string(),
  discovery: z.looseObject({ authorizationServerUrl: z.string() }).optional(),
  page: z.string().optional(),
  at: z.number(),
});
type SignIn = z.output<typeof signInSchema>;

/** Which server a `state` that came back belongs to; whether it is the right one only {@link PersonSignIn} knows. */
export function serverOfState(state: string): string {
  return state.split(".", 1)[0] ?? "";
}

export function createPersonSignIn(options: SignInOptions): PersonSignIn {
  const { secrets, clock } = options;
  // Read for every request, so once is enough until the server refuses it.
  let cached: z.output<typeof tokensSchema> | undefined;
  const readTokens = async () => (cached = await secrets.read("tokens", tokensSchema));
  const readSignIn = () => secrets.read("sign-in", signInSchema);
  const note = async (change: Partial<SignIn>) => {
    const before = (await readSignIn()) ?? { state: "", verifier: "" };
    await secrets.write("sign-in", { ...before, ...change, at: clock.now() } satisfies SignIn);
  };
  const provider: OAuthClientProvider = {
    redirectUrl: options.redirectUrl,
    clientMetadata: {
      client_name: "Parley",
      redirect_uris: [options.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...(options.scope === undefined ? {} : { scope: options.scope }),
    },
    state: async () => {
      const state = `${options.server}.${options.newId()}`;
      await note({ state });
      return state;
    },
    clientInformation: async () =>
      options.client === undefined ? secrets.read("client", clientSchema) : informationOf(options.client),
    saveClientInformation: async (client) => {
      if (options.client === undefined) await secrets.write("client", client);
    },
    // With a context the client library is about to refresh them: another process may have done so already.
    tokens: async (context) => (context === undefined ? (cached ?? (await readTokens())) : await readTokens()),
    saveTokens: async (tokens) => {
      await secrets.write("tokens", tokens);
      cached = tokensSchema.parse(tokens);
    },
    saveCodeVerifier: (verifier) => note({ verifier }),
    codeVerifier: async () => (await readSignIn())?.verifier ?? "",
    saveDiscoveryState: (discovery) => note({ discovery: compact(discovery) }),
    discoveryState: async () => (await readSignIn())?.discovery,
    redirectToAuthorization: (page) => note({ page: checkPage(page, options.server) }),
    invalidateCredentials: async (scope) => {
      if (scope === "client" || scope === "all") await secrets.forget("client");
      if (scope === "tokens" || scope === "all") await forgetTokens();
      if (scope === "verifier" || scope === "discovery" || scope === "all") await secrets.forget("sign-in");
    },
  };
  // Tokens that another process got in the meantime are not the ones that were refused.
  const forgetTokens = async () => {
    const refused = cached?.access_token;
    if ((await readTokens())?.access_token === refused) await secrets.forget("tokens");
    cached = undefined;
  };
  return {
    provider,
    openPage: async () => {
      if ((await readTokens()) !== undefined) return undefined;
      const begun = await readSignIn();
      return begun !== undefined && clock.now() - begun.at < PAGE_MS ? begun.page : undefined;
    },
    isExpected: async (state) => state !== "" && (await readSignIn())?.state === state,
    close: () => secrets.forget("sign-in"),
  };
}

function informationOf({ id, secret, issuer }: OAuthClient): StoredOAuthClientInformation {
  return { client_id: id, issuer, ...(secret === undefined ? {} : { client_secret: secret.reveal() }) };
}

const MAX_DISCOVERY_CHARS = 5_000;

// A credential has a size limit; what is left out is asked for again.
function compact(discovery: OAuthDiscoveryState): SignIn["discovery"] {
  if (JSON.stringify(discovery).length <= MAX_DISCOVERY_CHARS) return { ...discovery };
  const { authorizationServerMetadata: _server, resourceMetadata: _resource, ...rest } = discovery;
  return { ...rest };
}

// People are asked to open it, so it must be a web page.
function checkPage(page: URL, server: string): string {
  if (page.protocol === "https:" || page.protocol === "http:") return page.href;
  throw new OutsideError(`The MCP server "${server}" names a sign-in page that is no web address`, { code: "refused" });
}

/** Reads the address a browser ended at after a sign-in. Throws `InvalidInput` when it is none. */
export function parseCallback(address: string): URLSearchParams {
  const query = URL.parse(address.trim())?.searchParams;
  if (query === undefined || !query.has("state") || !(query.has("code") || query.has("error")))
    throw new InvalidInput(
      "That is not the address a sign-in ends at: it has to be complete, with its code and its state",
    );
  return query;
}
