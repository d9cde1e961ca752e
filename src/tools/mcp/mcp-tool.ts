import { InvalidInput, OutsideError } from "../../kernel/errors.ts";
import type { Effect, Tool, ToolContext } from "../contract.ts";
import { withDeadline } from "../deadline.ts";
import { readCallResult, type ResultFile } from "./call-result.ts";
import type { ListedTool } from "./listed-tool.ts";
import { scrub, scrubText } from "./scrub.ts";
import type { Server } from "./server.ts";
import { SessionFailure } from "./session.ts";
import { SignInNeeded } from "./sign-in-needed.ts";

/** Keeps a file that a tool gave back, and says in a few words where. Equal keys and names are the same file. */
export type StoreArtifact = (
  file: ResultFile & Pick<ToolContext, "workspaceId" | "conversationId" | "runId" | "idempotencyKey">,
) => Promise<string>;

/** What all tools of one server share. */
export interface ToolHome {
  readonly serverName: string;
  readonly server: Pick<Server, "call">;
  readonly callMs: number;
  /** What must not come back in a result. */
  readonly secrets: readonly string[];
  readonly storeArtifact?: StoreArtifact | undefined;
}

/** A server's tool as the agent runs it. Its arguments go to the server as they are; the server checks them. */
export function createMcpTool(listed: ListedTool, home: ToolHome): Tool {
  const { name, description, effect, approval, trusted, sends, parameters } = listed;
  const { callMs } = home;
  return {
    name,
    description: scrubText(description, home.secrets),
    effect,
    approval,
    ...(trusted === undefined ? {} : { trusted }),
    ...(sends === undefined ? {} : { sends }),
    parameters,
    timeoutMs: callMs,
    run: (args, context) =>
      withDeadline({ ms: callMs, signal: context.signal, late: () => tooLate(listed, home) }, async (signal) => ({
        kind: "result",
        value: await runCall(listed, home, checkArguments(name, args), { ...context, signal }),
      })),
  };
}

function checkArguments(name: string, args: unknown): Readonly<Record<string, unknown>> {
  if (typeof args === "object" && args !== null && !Array.isArray(args)) return { ...args };
  throw new InvalidInput(`Arguments of "${name}" do not fit. (all arguments): expected an object`, {
    code: "invalid_arguments",
  });
}

async function runCall(
  listed: ListedTool,
  home: ToolHome,
  args: Readonly<Record<string, unknown>>,
  context: ToolContext,
): Promise<unknown> {
  const { storeArtifact, secrets } = home;
  const { workspaceId, conversationId, runId, idempotencyKey, signal } = context;
  const result = await home.server
    // The client library's own limit comes later: the deadline around this has the better words.
    .call(listed, { args, idempotencyKey, signal, timeoutMs: home.callMs + 5_000 })
    .catch((error: unknown) => {
      throw explainFailure(error, listed, home);
    });
  const keep =
    storeArtifact === undefined
      ? undefined
      : (file: ResultFile) => storeArtifact({ ...file, workspaceId, conversationId, runId, idempotencyKey });
  const value = scrub(await readCallResult(result, keep), secrets);
  if (result.isError !== true) return value;
  const words = typeof value === "string" ? value : JSON.stringify(value);
  throw new OutsideError(words === "" ? `"${listed.name}" failed and does not say why` : words, { code: "failed" });
}

function explainFailure(error: unknown, listed: ListedTool, { serverName, secrets }: ToolHome): unknown {
  if (error instanceof SignInNeeded)
    return new OutsideError(
      `"${listed.name}" was not called: the person has to sign in to the MCP server "${serverName}" first (/mcp list shows where)`,
      { code: "unauthorized", cause: error },
    );
  if (!(error instanceof SessionFailure)) return error;
  const words = scrubText(error.message, secrets);
  return new OutsideError(
    `"${listed.name}" failed at the MCP server "${serverName}": ${words}${aftermath(error.outcome, listed.effect)}`,
    { code: error.code, retry: retryFor(listed.effect, error.passing, error.afterMs), cause: error },
  );
}

function aftermath(outcome: SessionFailure["outcome"], effect: Effect): string {
  if (outcome === "not-done") return ". Nothing was done";
  return outcome === "unknown" && effect === "once" ? ". Whether it was done is not known" : "";
}

// What may have been done is not done again: only a call that may be repeated is worth another try.
function retryFor(effect: Effect, passing: boolean, ms: number | undefined): OutsideError["retry"] {
  if (effect === "once" || !passing) return { kind: "never" };
  return ms === undefined ? { kind: "after" } : { kind: "after", ms };
}

function tooLate(listed: ListedTool, { serverName, callMs }: ToolHome): OutsideError {
  return new OutsideError(
    `"${listed.name}" at the MCP server "${serverName}" did not finish within ${callMs / 1000} s${aftermath("unknown", listed.effect)}`,
    { code: "timeout", retry: retryFor(listed.effect, true, undefined) },
  );
}
