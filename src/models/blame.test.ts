import { describe, expect, test } from "vitest";
import type { OutsideCode, Retry } from "../kernel/errors.ts";
import { decideBlame, decideCharge } from "./blame.ts";

const never: Retry = { kind: "never" };
const after: Retry = { kind: "after" };

describe("who is to blame, and what it may have cost", () => {
  test.each<[OutsideCode, Retry, ReturnType<typeof decideBlame>, ReturnType<typeof decideCharge>]>([
    ["rate-limited", after, "entry", "nothing"],
    ["overloaded", after, "entry", "nothing"],
    ["unavailable", after, "entry", "nothing"],
    ["timeout", after, "entry", "estimate"],
    ["quota-exhausted", never, "entry", "nothing"],
    ["unauthorized", never, "entry", "nothing"],
    ["forbidden", never, "entry", "nothing"],
    ["not-found", never, "entry", "nothing"],
    ["cut-short", after, "entry", "estimate"],
    ["empty-answer", after, "entry", "estimate"],
    ["garbled", after, "entry", "estimate"],
    ["failed", after, "entry", "estimate"],
    ["failed", never, "nobody", "estimate"],
    ["bad-request", never, "request", "nothing"],
    ["too-large", never, "request", "nothing"],
    ["context-too-long", never, "request", "nothing"],
    ["refused", never, "request", "estimate"],
  ])("%s, to be retried %o: %s, %s", (code, retry, blame, charge) => {
    expect(decideBlame({ code, retry })).toBe(blame);
    expect(decideCharge({ code })).toBe(charge);
  });
});
