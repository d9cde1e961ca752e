import { describe, expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const env = { NAME: "ada", EMPTY: "", BLANK: "  ", TRICKY: "${NAME}", _x9: "under" };

describe("interpolate", () => {
  test.each([
    ["no reference", "no reference"],
    ["${NAME}", "ada"],
    ["<${NAME}> and <${NAME}>", "<ada> and <ada>"],
    ["${_x9}", "under"],
    ["${NAME:-other}", "ada"],
    ["${MISSING:-other}", "other"],
    ["${EMPTY:-other}", "other"],
    ["${BLANK:-other}", "other"],
    ["${MISSING:-}", ""],
    ["${MISSING:-a b: c-d}", "a b: c-d"],
    ["${TRICKY}", "${NAME}"],
    ["$${NAME}", "${NAME}"],
    ["$$${NAME}", "$${NAME}"],
    ["costs $5 and {NAME}", "costs $5 and {NAME}"],
  ])("%j becomes %j", (text, expected) => {
    expect(interpolate(text, env)).toEqual({ text: expected });
  });

  test.each([
    ["${MISSING}", /MISSING is not set and \$\{MISSING\} has no default/],
    ["${EMPTY}", /EMPTY is not set/],
    ["${NAME} ${MISSING}", /MISSING/],
    ["${}", /cannot understand/],
    ["${9lives}", /cannot understand/],
    ["${NAME-other}", /cannot understand/],
    ["${NAME", /cannot understand/],
    ["${sk-verysecretkey}", /^(?!.*verysecret)cannot understand/],
  ])("%j is refused with a reason that shows no value", (text, reason) => {
    const result = interpolate(text, env);
    expect("problem" in result ? result.problem : "").toMatch(reason);
  });
});
