import ipaddr from "ipaddr.js";
import type { Config } from "./schema.ts";

/** Why the server must not start listening, as a sentence for the operator; undefined when it may. */
export function publicBindProblem(config: {
  readonly server: Pick<Config["server"], "host" | "api_key">;
}): string | undefined {
  const { host, api_key: apiKey } = config.server;
  if (isLoopback(host) || apiKey !== undefined) return undefined;
  return `Refusing to listen on ${host} without an API key, because others could reach it: set PARLEY_API_KEY (server.api_key), or HOST (server.host) to 127.0.0.1.`;
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost") return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === "loopback";
}
