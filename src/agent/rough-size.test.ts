import fc from "fast-check";
import { expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { estimateTokens } from "../models/estimate.ts";
import { weighRun } from "./model-context.ts";
import { roughSize } from "./rough-size.ts";
import { readRuns } from "./runs.ts";

const text = fc.string({ unit: "binary", maxLength: 200 });

test("a run is never larger than its rough size", () => {
  const given = fc.record({
    said: fc.array(text, { minLength: 1, maxLength: 3 }),
    calls: fc.array(fc.record({ name: text, args: text, result: fc.option(text) }), { maxLength: 4 }),
    unknown: fc.boolean(),
    reply: text,
    ended: fc.option(text),
  });
  fc.assert(
    fc.property(given, ({ said, calls, unknown, reply, ended }) => {
      const lines = [
        line.opened("r", message("m", said[0] ?? "", { authorName: said[0] ?? "" })),
        ...said.slice(1).map((each, index) => line.joined(message(`m${index}`, each, { authorName: each }))),
        line.reply(1, reply, calls),
        ...calls.flatMap(({ result }, index) => (result === null ? [] : [line.result(1, index + 1, result)])),
        ...(unknown ? [line.failure(1, 5, "outcome-unknown")] : []),
        line.ended("r", ended === null ? "done" : "failed", ended ?? undefined),
      ];
      const [run] = readRuns(entriesOf(...lines));
      if (run === undefined) throw new Error("no run");
      const [exact, rough] = [weighRun(run, estimateTokens), roughSize(run)];
      expect(exact.messages).toBeLessThanOrEqual(rough.messages);
      expect(exact.tokens).toBeLessThanOrEqual(rough.tokens);
    }),
  );
});
