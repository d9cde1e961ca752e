import { expect, test } from "vitest";
import { scrub } from "./scrub.ts";

test.each([
  { given: "the key is s3cr3t-key.", shown: "the key is [secret]." },
  { given: { a: ["s3cr3t-key", 1, null], "s3cr3t-key": true }, shown: { a: ["[secret]", 1, null], "[secret]": true } },
  { given: "nothing to see", shown: "nothing to see" },
  { given: 7, shown: 7 },
  { given: undefined, shown: undefined },
  { given: "on is a short word", shown: "on is a short word" },
])("$given is shown as $shown", ({ given, shown }) => {
  expect(scrub(given, ["s3cr3t-key", "on"])).toEqual(shown);
});
