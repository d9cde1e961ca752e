import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { readRuns } from "./runs.ts";
import { summaryRequest } from "./summary-text.ts";

const runs = readRuns(
  entriesOf(
    line.opened("a", message("a", "What is 6*7?", { authorName: "Ana" })),
    line.reply(1, "", [{ name: "calculate", args: '{"expression":"6*7","note":"PRIVATE ARGUMENT"}' }]),
    line.result(1, 1, "42 ".repeat(1000)),
    line.reply(2, "It is 42."),
    line.ended("a", "done"),
    line.opened("b", message("b", "Go on")),
    line.ended("b", "failed", "Something went wrong."),
  ),
);
const ask = (limits = { maxTokens: 100, inputTokens: 20_000 }, before?: string) =>
  summaryRequest(before, runs, limits, (text) => text.length);

describe("the request for a summary", () => {
  test("tells in plain text who said what, without the arguments of calls", () => {
    const [system, user] = ask();
    expect(system?.content).toContain("at most 75 words");
    expect(user?.content).toMatch(
      /^The conversation since then:\n\nAna: What is 6\*7\?\n\(Assistant used calculate: 42 .*…\)\nAssistant: It is 42\.\nPerson: Go on\n\(Ended with: Something went wrong\.\)$/,
    );
    expect(JSON.stringify(ask())).not.toContain("PRIVATE");
  });

  test("holds the summary so far", () => {
    expect(ask(undefined, "Ana likes tea.")[1]?.content).toMatch(
      /^Summary so far:\nAna likes tea\.\n\nThe conversation/,
    );
  });

  test.each([20_000, 2500, 1800, 1300, 1250])("is never longer than %d", (inputTokens) => {
    const request = ask({ maxTokens: 100, inputTokens }, "before");
    expect(request.map(({ content }) => content).join("").length).toBeLessThanOrEqual(inputTokens);
    // The newest is what goes last.
    expect(request[1]?.content).toContain("(Ended with: Something went wrong.)");
  });

  test("has only messages a provider takes", () => {
    expect(ask().map(({ role }) => role)).toEqual(["system", "user"]);
  });
});
