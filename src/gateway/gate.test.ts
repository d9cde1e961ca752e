import { describe, expect, test } from "vitest";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { asCommand, isMeant, mayTalk, type AccessRules } from "./gate.ts";

const ada = { id: parseWorkspaceId("slack:U1"), name: "Ada", isBot: false };

describe("who is meant", () => {
  test.each([
    ["a direct message", { direct: true }, true],
    ["a message in company that names nobody", {}, false],
    ["a message in company that names the bot", { addressed: true }, true],
    ["a message in a thread the bot takes part in", { thread: true, takesPart: true }, true],
    ["a message in a thread of others", { thread: true }, false],
    ["a message outside of threads where the bot once spoke", { takesPart: true }, false],
    ["another bot, directly", { direct: true, isBot: true }, false],
    ["another bot that names this one", { addressed: true, isBot: true }, false],
  ])(
    "%s",
    (_name, over: Partial<Record<"direct" | "addressed" | "thread" | "takesPart" | "isBot", boolean>>, meant) => {
      const { direct = false, addressed = false, thread = false, takesPart = false, isBot = false } = over;
      expect(isMeant({ author: { ...ada, isBot }, direct, addressed, thread }, { takesPart })).toBe(meant);
    },
  );
});

describe("who may", () => {
  const rules = (over: Partial<AccessRules>): AccessRules => ({ access: "pairing", allowed: [], admins: [], ...over });
  test.each([
    ["everybody where it is open", { access: "open" }, "yes"],
    ["strangers where pairing counts", {}, "ask"],
    ["strangers where a list counts", { access: "allowlist" }, "no"],
    ["people on the list", { access: "allowlist", allowed: ["slack:U1"] }, "yes"],
    ["people on the list, by the account they are linked to", { access: "allowlist", allowed: ["web:ada"] }, "yes"],
    ["everybody in a chat on the list", { access: "allowlist", allowed: ["slack:C9"] }, "yes"],
    ["people on the list where pairing counts", { allowed: ["slack:U1"] }, "yes"],
    ["administrators", { access: "allowlist", admins: ["slack:U1"] }, "yes"],
    ["nobody by a part of a name", { access: "allowlist", allowed: ["slack:U"] }, "no"],
  ] as const)("%s", (_name, over, verdict) => {
    const who = { account: ada.id, person: parseWorkspaceId("web:ada"), chat: "slack:C9" };
    expect(mayTalk(who, rules(over))).toBe(verdict);
  });
});

test.each([
  ["!stop", "/stop"],
  ["  !Schedule list", "/Schedule list"],
  ["!important: read this", "!important: read this"],
  ["!nonsense", "!nonsense"],
  ["wow!stop", "wow!stop"],
  ["/stop", "/stop"],
])("%j is read as %j", (text, read) => {
  expect(asCommand(text, (name) => name === "stop" || name === "schedule")).toBe(read);
});
