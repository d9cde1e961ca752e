import type { Effect } from "../contract.ts";
import { hostAndPort } from "../fetch-guard.ts";
import type { Capability, HttpTool, Parameter } from "./schema.ts";

/** Where a parameter is sent. */
export function placeOf(
  name: string,
  parameter: Parameter,
  capability: Capability,
): "path" | "query" | "header" | "body" {
  if (placeholders(capability.path).includes(name)) return "path";
  return parameter.in ?? (capability.method === "GET" || capability.method === "DELETE" ? "query" : "body");
}

/** The names in the braces of a path, in order. */
export function placeholders(path: string): string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name);
}

/** What repeating a call does. */
export function effectOf(capability: Capability): Effect {
  return capability.effect ?? (capability.method === "GET" ? "read" : "once");
}

/** The name the model calls a capability by. */
export function toolName(tool: Pick<HttpTool, "name">, capability: Pick<Capability, "name">): string {
  return `${tool.name}.${capability.name}`;
}

/** The `host:port` pairs that a file's calls may reach wherever they are: those of `allow`, and its own when it says so. */
export function allowedHosts(tool: HttpTool, allow: readonly string[]): ReadonlySet<string> {
  const own = [tool.base_url, ...(tool.auth.type === "oauth2" ? [tool.auth.token_url] : [])];
  return new Set([
    ...allow.map((each) => each.toLowerCase()),
    ...(tool.allow_private_address ? own.map((url) => hostAndPort(new URL(url))) : []),
  ]);
}
