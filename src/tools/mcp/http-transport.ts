import { setTimeout as delay } from "node:timers/promises";
import {
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
  type AuthProvider,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
  type TransportSendOptions,
} from "@modelcontextprotocol/client";
import { createAuthProvider } from "./auth-provider.ts";
import type { ConnectionTarget, HttpSignIn } from "./connection-target.ts";
import { createServerFetch } from "./server-fetch.ts";
import { CUT_OFF } from "./session-failure.ts";

const GOODBYE_MS = 1_000;

/**
 * Speaks streamable HTTP with a server. A request whose stream of events ends without its answer gets one that says so,
 * where the client library would wait. `close` tells the server, ends every connection and never rejects.
 */
export function createHttpTransport(
  target: Extract<ConnectionTarget, { kind: "http" }>,
  limits: { readonly maxMessageBytes: number; readonly requestMs: number },
): Transport {
  const connections = createServerFetch({
    url: target.url,
    headers: () => ({ ...target.headers, ...bearerOf(target.auth) }),
    allowed: target.allowed,
    resolve: target.resolve,
    maxBytes: limits.maxMessageBytes,
    requestMs: limits.requestMs,
  });
  const inner = new StreamableHTTPClientTransport(target.url, {
    fetch: connections.fetch,
    ...authProviderFor(target.auth),
  });
  const open = new Set<RequestId>();
  let closing: Promise<void> | undefined;
  const transport: Transport = {
    hasPerRequestStream: true,
    get sessionId() {
      return inner.sessionId;
    },
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
    start: () => inner.start(),
    send: (message, options) => {
      const id = requestIdOf(message);
      if (id !== undefined) open.add(id);
      const cutOff = () => {
        options?.onRequestStreamEnd?.();
        if (id !== undefined && open.delete(id)) transport.onmessage?.(cutOffAnswer(id));
      };
      return inner.send(message, { ...given(options), onRequestStreamEnd: cutOff });
    },
    close: () =>
      (closing ??= (async () => {
        const goodbye = inner.terminateSession().catch(() => undefined);
        await Promise.race([goodbye, delay(GOODBYE_MS, undefined, { ref: false })]);
        await Promise.allSettled([inner.close(), connections.close()]);
      })()),
  };
  Object.assign(inner, {
    onmessage: (message: JSONRPCMessage) => {
      if ("id" in message && message.id !== undefined && !("method" in message)) open.delete(message.id);
      transport.onmessage?.(message);
    },
    onerror: (error: Error) => transport.onerror?.(error),
    onclose: () => transport.onclose?.(),
  } satisfies Partial<Transport>);
  return transport;
}

function authProviderFor(auth: HttpSignIn): { authProvider?: AuthProvider } {
  if (auth.kind === "oauth") return { authProvider: createAuthProvider(auth.provider) };
  if (auth.kind !== "client_credentials") return {};
  const { clientId, clientSecret, issuer: expectedIssuer, scope } = auth;
  const provider = new ClientCredentialsProvider({
    clientId,
    clientSecret,
    expectedIssuer,
    ...(scope === undefined ? {} : { scope }),
  });
  return { authProvider: createAuthProvider(provider) };
}

function bearerOf(auth: HttpSignIn): Record<string, string> {
  return auth.kind === "bearer" ? { authorization: `Bearer ${auth.token}` } : {};
}

// The inner transport knows no option that is given as undefined.
function given({ resumptionToken, onresumptiontoken, requestSignal, headers }: TransportSendOptions = {}) {
  return {
    ...(resumptionToken === undefined ? {} : { resumptionToken }),
    ...(onresumptiontoken === undefined ? {} : { onresumptiontoken }),
    ...(requestSignal === undefined ? {} : { requestSignal }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function requestIdOf(message: JSONRPCMessage): RequestId | undefined {
  return "method" in message && "id" in message ? message.id : undefined;
}

function cutOffAnswer(id: RequestId): JSONRPCMessage {
  return { jsonrpc: "2.0", id, error: { code: CUT_OFF, message: "the answer was cut off" } };
}
