import { expect, test } from "vitest";
import { DEMO_LABEL } from "../../../models/demo/decide.ts";

const { splitDemoLabel, runOf } = await import(new URL("./deliveries.js", import.meta.url).href);

test("the demo model's line is told apart from its answer", () => {
  expect(splitDemoLabel(`1 + 1 = 2\n\n${DEMO_LABEL}`)).toEqual({ text: "1 + 1 = 2", demo: true });
  expect(splitDemoLabel(`${DEMO_LABEL} is a line`)).toEqual({ text: `${DEMO_LABEL} is a line`, demo: false });
});

test("a delivery's run is what comes before its step, whatever it holds", () => {
  expect(runOf("a:b.1:tool_1_2:0")).toBe("a:b.1");
});
