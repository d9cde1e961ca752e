import { describe, expect, test } from "vitest";
import { z } from "zod";
import { entriesOf, line, message } from "../../../test/agent/journal.ts";
import { noteLine } from "../../engine/journal.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { defineTool } from "../../tools/define.ts";
import { createToolbox } from "../../tools/toolbox.ts";
import { readRun } from "../runs.ts";
import { callHash, makeCard } from "./card.ts";
import { judgeCall, type GateFacts } from "./gate.ts";
import { approvalNote, decisionLine } from "./journal.ts";
import type { ApprovalPolicy } from "./policy.ts";

const RUN = parseRunId("r");
const STEP = "tool_1_1";
const ARGS = '{"what":"tea"}';

const tool = (name: string, approval: "ask" | "never") =>
  defineTool({ name, description: "x", effect: "once", approval, input: z.looseObject({}), run: () => "ok" });

const card = makeCard({
  runId: RUN,
  step: STEP,
  tool: "pay",
  args: { what: "tea" },
  reason: "because",
  askedOf: parseWorkspaceId("ann"),
  askedAt: 1,
  expireMs: 10,
});
const asked = (tool = "pay", args = ARGS) => noteLine(approvalNote(card, STEP, callHash(tool, args)));
const decided = (state: "approved" | "denied" | "expired", nonce = "n") =>
  decisionLine(card.id, { state, at: 2, nonce, ...(state === "expired" ? {} : { by: "ann" }) });

function judge(
  lines: readonly string[],
  { name = "pay", args = ARGS, policy = {} }: { name?: string; args?: string; policy?: Partial<ApprovalPolicy> } = {},
) {
  const facts: GateFacts = {
    run: readRun(RUN, entriesOf(line.opened("r", message("m", "hi")), ...lines)),
    workspaceId: parseWorkspaceId("ann"),
    conversationId: parseConversationId("api:c"),
    outside: [],
    toolbox: createToolbox([tool("pay", "ask"), tool("look", "never")]),
    policy: { rules: [], untrustedOnce: "ask", expireMs: 10, ...policy },
  };
  const passage = judgeCall(STEP, { id: "c", name, args }, facts);
  return passage.kind === "refuse" ? passage.result.content : passage.kind;
}

const RULE = (decision: "ask" | "allow" | "deny") => ({ rules: [{ decision }] });

describe("a call at the gate", () => {
  test.each<{ given: string; lines?: readonly string[]; call?: Parameters<typeof judge>[1]; comes: string | RegExp }>([
    { given: "that needs no approval", call: { name: "look" }, comes: "go" },
    { given: "that needs one", comes: "wait" },
    { given: "that was put up", lines: [asked()], comes: "wait" },
    { given: "that was approved", lines: [asked(), decided("approved")], comes: "go" },
    { given: "that was denied", lines: [asked(), decided("denied")], comes: /"denied".*Denied by ann/ },
    {
      given: "that nobody approved in time",
      lines: [asked(), decided("expired")],
      comes: /"approval_expired".*in time/,
    },
    {
      given: "that was denied, then approved: the first counts",
      lines: [asked(), decided("denied"), decided("approved", "later")],
      comes: /"denied"/,
    },
    {
      given: "that was approved with other arguments",
      lines: [asked("pay", '{"what":"car"}'), decided("approved")],
      comes: /"not_allowed".*not what this call is now/,
    },
    {
      given: "that was approved for another tool",
      lines: [asked("look"), decided("approved")],
      comes: /"not_allowed"/,
    },
    { given: "a decision that nobody asked for", lines: [decided("approved")], comes: "wait" },
    { given: "that is recorded", lines: [line.result(1, 1, "done")], comes: "go" },
    { given: "that was begun", lines: [line.intent(1, 1)], comes: "go" },
    { given: "to a tool there is not", call: { name: "fly" }, comes: "go" },
    { given: "whose arguments cannot be read", call: { args: "{" }, comes: "go" },
    { given: "that a rule denies", call: { policy: RULE("deny") }, comes: /"not_allowed".*does not allow/ },
    { given: "that a rule allows", call: { policy: RULE("allow") }, comes: "go" },
    {
      given: "that was put up and a rule allows by now",
      lines: [asked()],
      call: { policy: RULE("allow") },
      comes: "wait",
    },
    {
      given: "that was approved and a rule denies by now",
      lines: [asked(), decided("approved")],
      call: { policy: RULE("deny") },
      comes: /"not_allowed"/,
    },
  ])("$given: $comes", ({ lines = [], call, comes }) => {
    expect(judge(lines, call)).toMatch(comes);
  });

  test("has the same name on every attempt, and another one for every call", () => {
    const again = makeCard({ ...card, runId: RUN, step: STEP, args: {}, expireMs: 1 });
    expect(again.id).toBe(card.id);
    expect(card.id).toMatch(/^apr_[0-9a-f]{12}$/);
    const others = [makeCard({ ...card, runId: RUN, step: "tool_1_2", args: {}, expireMs: 1 }).id];
    others.push(makeCard({ ...card, runId: parseRunId("r2"), step: STEP, args: {}, expireMs: 1 }).id);
    expect(new Set([card.id, ...others]).size).toBe(3);
  });
});
