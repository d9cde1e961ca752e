import { localUrl } from "../kernel/address.ts";
import type { Config } from "../config/schema.ts";

/**
 * Where the configured bot is reached from this machine, without a slash at the end. Undefined when its port is chosen
 * at every start, so that nobody can know. Pure.
 */
export function configuredAddress({ host, port }: Pick<Config["server"], "host" | "port">): string | undefined {
  if (port === 0) return undefined;
  return localUrl(host, port);
}

/** The address somebody typed, in the same form; undefined when it is none. Pure. */
export function parseAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
