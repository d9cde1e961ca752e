import { expect, test } from "vitest";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { createSecretHider } from "./hide-secrets.ts";

const kept = new Map([
  ["ada", ["hunter", "hunter2", "x", " "]],
  ["bob", ["12 34"]],
]);
const hider = createSecretHider({
  revealAll: (workspace) => Promise.resolve((kept.get(workspace) ?? []).map((value) => new Secret(value))),
});

test.each([
  { given: "the pin is hunter2, not hunter, x", hidden: "the pin is (secret), not (secret), x" },
  { given: "12 34 and 1234", hidden: "(secret) and 1234" },
  { given: "nothing", hidden: "nothing" },
])("secrets of several people are taken out of: $given", async ({ given, hidden }) => {
  expect((await hider([parseWorkspaceId("ada"), parseWorkspaceId("bob")]))(given)).toBe(hidden);
});
