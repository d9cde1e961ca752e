import { OAuthError, StreamableHTTPClientTransport, type OAuthClientProvider } from "@modelcontextprotocol/client";
import { InvalidInput } from "../../kernel/errors.ts";
import { createServerFetch, type ServerFetchOptions } from "./server-fetch.ts";
import { toSessionFailure } from "./session-failure.ts";

/**
 * Turns what came back from a sign-in page into tokens, which go to `provider`. The caller has checked the `state`.
 * Throws `InvalidInput` when the person or the authorization server refused, and `SessionFailure` or `OutsideError`.
 */
export async function finishSignIn(
  provider: OAuthClientProvider,
  callback: URLSearchParams,
  connection: ServerFetchOptions,
): Promise<void> {
  const connections = createServerFetch(connection);
  const transport = new StreamableHTTPClientTransport(connection.url, {
    fetch: connections.fetch,
    authProvider: provider,
  });
  try {
    await transport.finishAuth(callback);
  } catch (error) {
    if (error instanceof OAuthError)
      throw new InvalidInput(`The sign-in was refused: ${error.message.slice(0, 300)}`, { cause: error });
    throw toSessionFailure(error);
  } finally {
    await connections.close();
  }
}
