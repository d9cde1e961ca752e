import type { MiddlewareHandler } from "hono";
import { isLoopback } from "../config/public-bind.ts";
import { ApiError, type Failure } from "./errors.ts";
import type { ApiEnv } from "./parts.ts";

/** Where a request came from, as its browser, if any, says. */
export interface RequestSource {
  /** The `Host` header. */
  readonly host: string;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined;
  /** Whether the server can only be reached from its own machine. */
  readonly loopbackOnly: boolean;
  /** Whether the API is asked, as opposed to a page people may follow links to. */
  readonly forApi: boolean;
}

/**
 * Refuses what another site's page may have made a browser send: a name of theirs that points here (DNS rebinding), or
 * a request of theirs (CSRF). Programs that are no browsers send none of these headers. Pure.
 */
export function refuseSource(source: RequestSource): Failure | undefined {
  const here = parseAuthority(source.host);
  if (here === undefined) return { status: 400, code: "invalid_request", message: "The Host header is malformed" };
  if (source.loopbackOnly && !isLoopback(here.hostname))
    return {
      status: 403,
      code: "host_not_allowed",
      message: "This server listens on this machine only: use localhost or 127.0.0.1 in the address",
    };
  if (source.origin !== undefined && originAuthority(source.origin) !== here.authority) return FOREIGN_ORIGIN;
  if (source.forApi && source.fetchSite !== undefined && !OWN_SITES.has(source.fetchSite)) return FOREIGN_ORIGIN;
  return undefined;
}

/** Applies {@link refuseSource} to every request. */
export function guardSource(loopbackOnly: boolean): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const refusal = refuseSource({
      host: c.req.header("host") ?? new URL(c.req.url).host,
      origin: c.req.header("origin"),
      fetchSite: c.req.header("sec-fetch-site"),
      loopbackOnly,
      // A link to a file is followed from anywhere: it carries its own permission and no other.
      forApi: c.req.path.startsWith("/v1/") && !/^\/v1\/artifacts\/[^/]+\/content$/.test(c.req.path),
    });
    if (refusal !== undefined) throw new ApiError(refusal);
    await next();
  };
}

const FOREIGN_ORIGIN: Failure = {
  status: 403,
  code: "origin_not_allowed",
  message: "Requests from the pages of other sites are refused",
};

// "none" is a person who typed the address.
const OWN_SITES = new Set(["same-origin", "none"]);

function parseAuthority(host: string): { readonly hostname: string; readonly authority: string } | undefined {
  if (!/^[^\s/@?#\\]+$/.test(host)) return undefined;
  const url = URL.parse(`http://${host}`);
  return url === null ? undefined : { hostname: url.hostname, authority: url.host };
}

// A proxy in front may speak https while we hear http, so schemes are not compared; each one's own port is left out.
function originAuthority(origin: string): string | undefined {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url.host : undefined;
}
