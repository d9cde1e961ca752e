import { expect, test } from "vitest";
import { parseOptions, SECTIONS } from "./options.ts";

test.each([
  [[], { size: "default", rounds: 5, seed: 1, only: SECTIONS, jsonFile: undefined }],
  [["--quick"], { size: "quick", rounds: 2, seed: 1, only: SECTIONS, jsonFile: undefined }],
  [
    ["--full", "--rounds", "3", "--seed=7", "--only", "commands,recovery", "--json", "out.json"],
    { size: "full", rounds: 3, seed: 7, only: ["commands", "recovery"], jsonFile: "out.json" },
  ],
  [["--help", "--quick"], undefined],
])("%j is understood", (args, expected) => {
  expect(parseOptions(args)).toEqual(expected);
});

test.each([
  [["--fast"], "--fast"],
  [["--rounds", "0"], "--rounds must be a whole number from 1"],
  [["--only", "speed"], 'there is no section "speed"'],
  [["--quick", "--full"], "exclude each other"],
])("%j is refused by name", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
