import { refusalForUrl } from "../fetch-guard.ts";
import { allowedHosts, placeholders, placeOf, toolName } from "./endpoint.ts";
import type { Capability, HttpTool, Parameter } from "./schema.ts";
import { checkValueRule } from "./value-input.ts";

/** Something wrong with a file, and the key it is about. */
export interface ToolIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is wrong with a file whose every key is right by itself. `allow` holds `host:port` pairs as for `safe-fetch`. */
export function checkTool(tool: HttpTool, allow: readonly string[]): readonly ToolIssue[] {
  const capabilities = tool.capabilities.flatMap((capability, index) => {
    const issues = [
      ...checkName(tool, index),
      ...checkParameters(capability),
      ...checkPath(capability),
      ...checkSent(capability),
    ];
    return issues.map((issue) => ({ ...issue, path: ["capabilities", index, ...issue.path] }));
  });
  return [...checkAddresses(tool, allow), ...checkHeaders(tool), ...capabilities];
}

// The limit is OpenAI's for the names of functions.
const MAX_NAME_CHARS = 64;

function checkAddresses(tool: HttpTool, allow: readonly string[]): ToolIssue[] {
  const allowed = allowedHosts(tool, allow);
  const addresses = [
    { path: ["base_url"], url: tool.base_url },
    ...(tool.auth.type === "oauth2" ? [{ path: ["auth", "token_url"], url: tool.auth.token_url }] : []),
  ];
  return addresses.flatMap(({ path, url }) => {
    const refusal = refusalForUrl(new URL(url), allowed);
    return refusal === undefined
      ? []
      : [{ path, message: `${refusal}; if that is meant, set allow_private_address: true` }];
  });
}

function checkHeaders(tool: HttpTool): ToolIssue[] {
  return Object.keys(tool.headers)
    .filter((name) => FORBIDDEN_HEADERS.has(name.toLowerCase()))
    .map((name) => ({ path: ["headers", name], message: "this header cannot be set" }));
}

// They describe the connection, or decide whom the request reaches.
const FORBIDDEN_HEADERS = new Set([
  "host",
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function checkName(tool: HttpTool, index: number): ToolIssue[] {
  const capability = tool.capabilities[index];
  if (capability === undefined) return [];
  const name = toolName(tool, capability);
  if (name.length > MAX_NAME_CHARS)
    return [{ path: ["name"], message: `"${name}" has more than ${MAX_NAME_CHARS} characters` }];
  const taken = tool.capabilities.slice(0, index).some((other) => other.name === capability.name);
  return taken ? [{ path: ["name"], message: `there is a capability "${capability.name}" already` }] : [];
}

function checkParameters(capability: Capability): ToolIssue[] {
  return Object.entries(capability.parameters).flatMap(([name, parameter]) => {
    const rules = checkValueRule(parameter);
    const issues = rules.length > 0 ? rules : checkPlace(name, parameter, capability);
    return issues.map((issue) => ({ ...issue, path: ["parameters", name, ...issue.path] }));
  });
}

function checkPlace(name: string, parameter: Parameter, capability: Capability): ToolIssue[] {
  const place = placeOf(name, parameter, capability);
  const inPath = placeholders(capability.path).includes(name);
  if (place === "path" && !inPath) return [{ path: ["in"], message: `{${name}} is not in the path` }];
  if (inPath && (parameter.in ?? "path") !== "path") return [{ path: ["in"], message: `{${name}} is in the path` }];
  if (place === "path" && parameter.required === false)
    return [{ path: ["required"], message: "a parameter in the path is always needed" }];
  if (place === "body" && capability.method === "GET") return [{ path: ["in"], message: "GET has no body" }];
  if (place === "header" && FORBIDDEN_HEADERS.has((parameter.send_as ?? name).toLowerCase()))
    return [{ path: ["send_as"], message: "this header cannot be set" }];
  const json = place === "body" && capability.body === "json";
  const lists = place === "query" || place === "body";
  const kind = parameter.type === "array" && lists ? parameter.items?.type : parameter.type;
  if (!json && (kind === "object" || kind === "array" || kind === undefined))
    return [{ path: ["type"], message: `cannot be sent in the ${place === "body" ? "form" : place}` }];
  return [];
}

function checkPath(capability: Capability): ToolIssue[] {
  const unknown = placeholders(capability.path).filter((name) => !Object.hasOwn(capability.parameters, name));
  if (unknown.length > 0) return [{ path: ["path"], message: `{${unknown[0]}} is not one of the parameters` }];
  const filled = capability.path.replaceAll(/\{[^{}]*\}/g, "x");
  if (/[{}]/.test(filled)) return [{ path: ["path"], message: "a brace has no partner" }];
  // What an address would be changed into when it is used, such as "/a/../b", is not what somebody meant to write.
  if (new URL(`http://x${filled}`).pathname !== filled)
    return [{ path: ["path"], message: "is not written as it is sent; encode what is not a letter or digit" }];
  return [];
}

// Two values under one name: which of them counts is up to the service.
function checkSent(capability: Capability): ToolIssue[] {
  const taken = new Set([
    ...Object.keys(capability.fixed.query).map((name) => `query ${name}`),
    ...Object.keys(capability.fixed.body).map((name) => `body ${name}`),
  ]);
  if (capability.method === "GET" && Object.keys(capability.fixed.body).length > 0)
    return [{ path: ["fixed", "body"], message: "GET has no body" }];
  return Object.entries(capability.parameters).flatMap(([name, parameter]) => {
    const place = placeOf(name, parameter, capability);
    const sent = `${place} ${parameter.send_as ?? name}`;
    if (place === "path" || !taken.has(sent)) {
      taken.add(sent);
      return [];
    }
    return [{ path: ["parameters", name], message: `"${parameter.send_as ?? name}" is sent in the ${place} already` }];
  });
}
