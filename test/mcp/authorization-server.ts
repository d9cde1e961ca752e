import { createHash, randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { sendJson, webServer, type Seen } from "./web-server.ts";

/**
 * An MCP server that wants a sign-in, and the authorization server it names, both on loopback. Codes and refresh tokens
 * are good for one use.
 */
export async function signInServers() {
  const codes = new Map<string, { readonly challenge: string; readonly client: string }>();
  const refreshTokens = new Set<string>();
  const accessTokens = new Set<string>();
  const clients = new Set<string>(["registered"]);
  let registrations = 0;

  const issue = () => {
    const tokens = { access_token: `access-${randomUUID()}`, refresh_token: `refresh-${randomUUID()}` };
    accessTokens.add(tokens.access_token);
    refreshTokens.add(tokens.refresh_token);
    return { ...tokens, token_type: "Bearer", expires_in: 3600, scope: "mcp" };
  };
  const refuse = (response: ServerResponse, error: string) => sendJson(response, 400, { error });

  const giveTokens = (form: URLSearchParams, response: ServerResponse): boolean => {
    switch (form.get("grant_type")) {
      case "authorization_code": {
        const code = codes.get(form.get("code") ?? "");
        codes.delete(form.get("code") ?? "");
        const challenge = createHash("sha256")
          .update(form.get("code_verifier") ?? "")
          .digest("base64url");
        return code?.challenge === challenge ? sendJson(response, 200, issue()) : refuse(response, "invalid_grant");
      }
      case "refresh_token":
        return refreshTokens.delete(form.get("refresh_token") ?? "")
          ? sendJson(response, 200, issue())
          : refuse(response, "invalid_grant");
      case "client_credentials":
        return sendJson(response, 200, issue());
      default:
        return refuse(response, "unsupported_grant_type");
    }
  };

  const authorization = await webServer((request, response) => {
    const { origin } = authorization;
    switch (request.path) {
      case "/.well-known/oauth-authorization-server":
        return sendJson(response, 200, {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          registration_endpoint: `${origin}/register`,
          response_types_supported: ["code"],
          grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
          code_challenge_methods_supported: ["S256"],
          token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"],
        });
      case "/register": {
        registrations += 1;
        const client = `client-${registrations}`;
        clients.add(client);
        return sendJson(response, 201, { ...(JSON.parse(request.body) as object), client_id: client });
      }
      case "/token":
        return giveTokens(new URLSearchParams(request.body), response);
      default:
        return sendJson(response, 404, {});
    }
  });

  const resource = await webServer((request, response) => {
    if (request.path === "/.well-known/oauth-protected-resource/mcp")
      return sendJson(response, 200, {
        resource: resource.url,
        authorization_servers: [authorization.origin],
        scopes_supported: ["mcp"],
      });
    if (request.path !== "/mcp" || accessTokens.has(bearerOf(request))) return false;
    return sendJson(
      response,
      401,
      {},
      {
        "www-authenticate": `Bearer resource_metadata="${resource.origin}/.well-known/oauth-protected-resource/mcp"`,
      },
    );
  });

  return {
    url: resource.url,
    issuer: authorization.origin,
    /** What a bot must be allowed to reach. */
    hosts: [resource.host, authorization.host],
    seen: () => [...resource.seen, ...authorization.seen],
    asked: authorization.seen,
    registrations: () => registrations,
    /** What a person does on the sign-in page: agree, and be sent back. Gives the address they end at. */
    agree: (page: string): string => {
      const query = new URL(page).searchParams;
      if (!clients.has(query.get("client_id") ?? "")) throw new Error("the page is for an unknown client");
      const code = randomUUID();
      codes.set(code, { challenge: query.get("code_challenge") ?? "", client: query.get("client_id") ?? "" });
      return backTo(query, { code });
    },
    decline: (page: string): string => backTo(new URL(page).searchParams, { error: "access_denied" }),
    /** Makes every access token invalid, as time does. */
    expireTokens: () => accessTokens.clear(),
    /** Makes every sign-in invalid, as a person does who takes it back. */
    revoke: () => {
      accessTokens.clear();
      refreshTokens.clear();
    },
  };
}

function bearerOf({ headers }: Seen): string {
  return (headers.authorization ?? "").replace("Bearer ", "");
}

function backTo(query: URLSearchParams, result: Record<string, string>): string {
  const address = new URL(query.get("redirect_uri") ?? "");
  for (const [key, value] of Object.entries({ ...result, state: query.get("state") ?? "" }))
    address.searchParams.set(key, value);
  return address.href;
}
