import { describe, expect, test } from "vitest";
import { parseConversationId, parseWorkspaceId } from "../../kernel/ids.ts";
import { ruleOn, type ApprovalPolicy, type ApprovalRule, type CallFacts } from "./policy.ts";

const CALL: CallFacts = {
  tool: { name: "mail.send", effect: "once" },
  args: { to: "ann@example.com", amount: 5, now: true, list: ["a@x", "b@y"], deep: { to: "z" } },
  user: parseWorkspaceId("ann"),
  conversation: parseConversationId("slack:C1"),
  outside: [],
};
const NO_RULES: Pick<ApprovalPolicy, "rules" | "untrustedOnce"> = { rules: [], untrustedOnce: "ask" };

const rule = (given: Partial<ApprovalRule>): ApprovalRule => ({ decision: "deny", ...given });

describe("a rule fits a call", () => {
  test.each<{ given: Partial<ApprovalRule>; fits: boolean }>([
    { given: {}, fits: true },
    { given: { tool: "mail.send" }, fits: true },
    { given: { tool: "mail.*" }, fits: true },
    { given: { tool: "mail" }, fits: false },
    { given: { effect: "once" }, fits: true },
    { given: { effect: "read" }, fits: false },
    { given: { users: ["bob", "a*"] }, fits: true },
    { given: { users: ["bob"] }, fits: false },
    { given: { conversations: ["slack:*"] }, fits: true },
    { given: { conversations: ["web:*"] }, fits: false },
    { given: { arguments: { to: "*@example.com" } }, fits: true },
    { given: { arguments: { to: "*@other.example" } }, fits: false },
    { given: { arguments: { amount: 5 } }, fits: true },
    { given: { arguments: { amount: "5" } }, fits: true },
    { given: { arguments: { amount: 6 } }, fits: false },
    { given: { arguments: { now: true } }, fits: true },
    { given: { arguments: { now: false } }, fits: false },
    { given: { arguments: { missing: "*" } }, fits: false },
    { given: { arguments: { toString: "*" } }, fits: false },
    { given: { arguments: { deep: "*" } }, fits: false },
    { given: { arguments: { to: "*", amount: 6 } }, fits: false },
    { given: { tool: "mail.*", effect: "once", users: ["ann"], arguments: { amount: 5 } }, fits: true },
    { given: { tool: "mail.*", effect: "once", users: ["bob"], arguments: { amount: 5 } }, fits: false },
    { given: { arguments: { list: "b@*" } }, fits: true },
    { given: { decision: "ask", arguments: { list: "b@*" } }, fits: true },
    // To allow, every element must fit: one stranger among the recipients is one too many.
    { given: { decision: "allow", arguments: { list: "b@*" } }, fits: false },
    { given: { decision: "allow", arguments: { list: "?@?" } }, fits: true },
  ])("$given: $fits", ({ given, fits }) => {
    const other = given.decision === "allow" ? "deny" : "allow";
    const rules = [rule(given), rule({ decision: other })];
    expect(ruleOn(CALL, { ...NO_RULES, rules }).decision).toBe(fits ? (given.decision ?? "deny") : other);
  });

  test("an empty list allows nothing", () => {
    const rules = [rule({ decision: "allow", arguments: { list: "*" } }), rule({ decision: "deny" })];
    expect(ruleOn({ ...CALL, args: { list: [] } }, { ...NO_RULES, rules }).decision).toBe("deny");
  });
});

describe("a call is ruled on", () => {
  interface Case {
    readonly given: string;
    readonly tool?: Partial<CallFacts["tool"]>;
    readonly outside?: readonly string[];
    readonly policy?: Partial<ApprovalPolicy>;
    readonly decision: "ask" | "allow" | "deny";
    readonly reason?: RegExp;
  }
  test.each<Case>([
    { given: "nothing special", decision: "allow" },
    { given: "a tool that asks", tool: { approval: "ask" }, decision: "ask", reason: /^This tool asks/ },
    { given: "a tool that does not", tool: { approval: "never" }, decision: "allow" },
    { given: "text from outside", outside: ["web_fetch", "files"], decision: "ask", reason: /\(web_fetch, files\)/ },
    { given: "text from outside, switched off", outside: ["x"], policy: { untrustedOnce: "allow" }, decision: "allow" },
    { given: "text from outside, a read", tool: { effect: "read" }, outside: ["x"], decision: "allow" },
    { given: "text from outside, repeatable", tool: { effect: "idempotent" }, outside: ["x"], decision: "allow" },
    { given: "text from outside, sends nothing", tool: { sends: false }, outside: ["x"], decision: "allow" },
    {
      given: "a rule that asks",
      policy: { rules: [rule({ decision: "ask" })] },
      decision: "ask",
      reason: /^A rule of this installation/,
    },
    {
      given: "a rule that allows a tool that asks",
      tool: { approval: "ask" },
      policy: { rules: [rule({ decision: "allow" })] },
      decision: "allow",
    },
    {
      given: "a rule that allows, after text from outside",
      outside: ["x"],
      policy: { rules: [rule({ decision: "allow" })] },
      decision: "allow",
    },
    {
      given: "two rules that fit: the first counts",
      policy: { rules: [rule({ decision: "ask" }), rule({ decision: "deny" })] },
      decision: "ask",
    },
  ])("$given: $decision", ({ tool, outside = [], policy, decision, reason = /^/ }) => {
    const ruling = ruleOn({ ...CALL, tool: { ...CALL.tool, ...tool }, outside }, { ...NO_RULES, ...policy });
    expect(ruling.decision).toBe(decision);
    if (ruling.decision === "ask") expect(ruling.reason).toMatch(reason);
  });
});
