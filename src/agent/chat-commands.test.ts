import { expect, test } from "vitest";
import { readChoice } from "./chat-commands.ts";

test.each([
  ["Keep my memory", "keep"],
  ["Forget my memory too", "forget"],
  ["Cancel", "cancel"],
  ["KEEP IT", "keep"],
  ["no", "keep"],
  ["No, thanks", "keep"],
  ["don't forget anything", "keep"],
  ["Don’t forget it", "keep"],
  ["yes", "forget"],
  ["all of it", "forget"],
  ["forget everything", "forget"],
  ["stop", "cancel"],
  ["do not keep it, forget it", "cancel"],
  ["don't keep it", "cancel"],
  ["keep some, forget the rest", "cancel"],
  ["no, forget it", "cancel"],
  ["not sure", "cancel"],
  ["I know nothing", "cancel"],
  ["what do you mean?", "cancel"],
  ["", "cancel"],
])("the answer %j is read as %s", (answer, choice) => {
  expect(readChoice(answer)).toBe(choice);
});
