import type { Tool, ToolContext } from "../contract.ts";
import { defineTool } from "../define.ts";
import type { ResolveHost } from "../pinned-connect.ts";
import type { AccessTokens } from "./access-tokens.ts";
import { describeAnswer } from "./answer-failure.ts";
import { authorize, type Grant, type RevealCredential } from "./authorize.ts";
import { allowedHosts, effectOf, toolName } from "./endpoint.ts";
import { capResult, readAnswer } from "./read-answer.ts";
import { createRedactor } from "./redact.ts";
import { buildRequest, idempotencyText, type HttpRequest } from "./request.ts";
import type { Capability, HttpTool } from "./schema.ts";
import { send, type HttpAnswer, type SendRules } from "./send.ts";
import { objectInput } from "./value-input.ts";

/** What the tools of every file share. */
export interface HttpToolParts {
  readonly credentials: RevealCredential | undefined;
  readonly tokens: AccessTokens;
  readonly resolve: ResolveHost;
  /** `host:port` pairs every file may reach wherever they are. */
  readonly allow: readonly string[];
}

/** Makes one tool of each capability of a checked file. */
export function httpTools(tool: HttpTool, parts: HttpToolParts): Tool[] {
  return tool.capabilities.map((capability) => httpTool(tool, capability, parts));
}

function httpTool(tool: HttpTool, capability: Capability, parts: HttpToolParts): Tool {
  const effect = effectOf(capability);
  return defineTool({
    name: toolName(tool, capability),
    description: `${capability.description}\n(${tool.name}: ${tool.description})`,
    effect,
    approval: capability.approval,
    ...(capability.trusted === undefined ? {} : { trusted: capability.trusted }),
    ...(capability.sends === undefined ? {} : { sends: capability.sends }),
    timeoutMs: (capability.timeout_s ?? tool.timeout_s) * 1000,
    input: objectInput(capability.parameters),
    run: (args, context) => call({ tool, capability, effect }, args, context, parts),
  });
}

interface Endpoint {
  readonly tool: HttpTool;
  readonly capability: Capability;
  readonly effect: Tool["effect"];
}

async function call(
  { tool, capability, effect }: Endpoint,
  args: Readonly<Record<string, unknown>>,
  context: ToolContext,
  parts: HttpToolParts,
): Promise<unknown> {
  const rules: SendRules = { allowed: allowedHosts(tool, parts.allow), resolve: parts.resolve, effect };
  const request = buildRequest(tool.base_url, capability, args);
  const grantNow = () =>
    authorize(tool, {
      ...parts,
      workspaceId: context.workspaceId,
      sendTokenRequest: (tokenRequest, signal) => send(tokenRequest, { ...rules, effect: "read" }, signal),
      now: context.clock.now(),
    });
  const sendWith = (grant: Grant): Promise<HttpAnswer> =>
    send(complete(request, grant, { tool, capability, effect }, context.idempotencyKey), rules, context.signal);

  let grant = await grantNow();
  let answer = await sendWith(grant);
  if (answer.status === 401 && grant.renew !== undefined) {
    // The token was taken back early. A refused request has done nothing, so it is sent again whatever its effect.
    grant.renew();
    grant = await grantNow();
    answer = await sendWith(grant);
  }
  const redactor = createRedactor(grant.secrets);
  const asked = `${new URL(tool.base_url).host} (${capability.method} ${capability.path})`;
  if (answer.status < 200 || answer.status > 299)
    throw describeAnswer(answer, { asked, effect, redactor, now: context.clock.now() });
  const value = redactor.value(readAnswer(answer, capability.result, `${asked} answered`));
  return capResult(value, capability.result?.max_chars ?? DEFAULT_MAX_CHARS);
}

const DEFAULT_MAX_CHARS = 16_000;

function complete(request: HttpRequest, grant: Grant, { tool, effect }: Endpoint, idempotencyKey: string): HttpRequest {
  const url = new URL(request.url);
  for (const [name, value] of grant.query) url.searchParams.append(name, value);
  return {
    ...request,
    url,
    headers: {
      accept: "application/json, text/*;q=0.9, */*;q=0.5",
      "user-agent": "Parley",
      ...lowerCase(request.headers),
      ...(effect === "idempotent" ? { [tool.idempotency_header.toLowerCase()]: idempotencyText(idempotencyKey) } : {}),
      ...grant.headers,
    },
  };
}

// Names that differ in nothing but their case are the same header.
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
