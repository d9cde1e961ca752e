import { describe, expect, test } from "vitest";
import { parseConversationId, parseWorkspaceId } from "../kernel/ids.ts";
import { createSystemPrompt } from "./system-prompt.ts";

const ADA = parseWorkspaceId("ada");
const parts = {
  prompt: "Be kind.",
  hint: (platform: string) => (platform === "slack" ? " Written for Slack. " : ""),
  memory: {
    promptEntries: () =>
      Promise.resolve([
        { key: "town", value: "Cádiz" },
        { key: "pin", secret: true as const },
      ]),
  },
  clock: { now: () => Date.parse("2026-11-21T10:00:00Z"), monotonic: () => 0 },
};
const inSlack = parseConversationId("slack:C1");
const inWeb = parseConversationId("web:1");

describe("the system prompt", () => {
  test("says where the answer is read, when there is something to say about it", async () => {
    const make = createSystemPrompt(parts);
    expect(await make(ADA, inSlack, { shared: true })).toBe(
      "Be kind.\n\nToday is 2026-11-21 (UTC).\n\nWritten for Slack.",
    );
    expect(await make(ADA, inWeb, { shared: true })).toBe("Be kind.\n\nToday is 2026-11-21 (UTC).");
  });

  test("holds what a person asked to be remembered where nobody else reads along, of secrets only the key", async () => {
    const make = createSystemPrompt(parts);
    expect(await make(ADA, inWeb, { shared: false })).toMatch(/- town: Cádiz\n\n- pin: \(secret, not shown\)$/);
    expect(await make(ADA, inWeb, { shared: true })).not.toContain("town");
  });

  test("may be a function of the person, who is told where they are and what time it is", async () => {
    const seen: unknown[] = [];
    const prompt = (context: unknown) => {
      seen.push(context);
      return "Made for one.";
    };
    const made = await createSystemPrompt({ ...parts, prompt })(ADA, inSlack, { shared: true });
    expect(made).toMatch(/^Made for one\.\n\n/);
    expect(seen).toEqual([
      {
        user: { id: "ada" },
        conversation: { id: "slack:C1", shared: true },
        platform: "slack",
        now: "2026-11-21T10:00:00.000Z",
      },
    ]);
  });
});
