import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Secret } from "./secret.ts";

const secret = new Secret("hunter2");

describe("a secret", () => {
  test("gives its value only when it is revealed", () => {
    expect(secret.reveal()).toBe("hunter2");
  });

  test.each([
    ["text", String(secret)],
    ["concatenation", ["", secret].join("")],
    ["JSON", JSON.stringify({ secret })],
    ["inspect", inspect({ secret }, { showHidden: true, depth: 9 })],
    ["format", format("%s %o %j", secret, secret, secret)],
    ["its keys", Object.entries(secret).join()],
  ])("does not show its value in %s", (_where, shown) => {
    expect(shown).not.toContain("hunter2");
  });
});
