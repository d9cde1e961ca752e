import {
  auth,
  extractWWWAuthenticateParams,
  UnauthorizedError,
  type AuthProvider,
  type OAuthClientProvider,
} from "@modelcontextprotocol/client";

/**
 * Signs requests in with what `provider` keeps, and gets new tokens when they are refused. Requests that are refused at
 * the same time share one attempt: a refresh token is often good for one use only.
 */
export function createAuthProvider(provider: OAuthClientProvider): AuthProvider {
  let under: Promise<void> | undefined;
  return {
    token: async () => (await provider.tokens())?.access_token,
    onUnauthorized: ({ response, serverUrl, fetchFn }) =>
      (under ??= (async () => {
        const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
        const result = await auth(provider, {
          serverUrl,
          fetchFn,
          ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
          ...(scope === undefined ? {} : { scope }),
        });
        if (result !== "AUTHORIZED") throw new UnauthorizedError();
      })().finally(() => (under = undefined))),
  };
}
