import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { Secret } from "../../src/kernel/secret.ts";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { createCredentialStore } from "../../src/store/credentials.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";

const database = await testRedis();
const redis = new Redis(database);
const credentials = createCredentialStore(redis, { masterKey: new Secret("a master key of the test") });
const lab = await openLab({ database, more: { credentials, address: () => "http://bot.example" } });
const ADA = parseWorkspaceId("ada");
afterAll(async () => {
  await lab.close();
  redis.disconnect();
});

const tell = async (text: string, more: object = {}) => {
  const chat = lab.conversation();
  return (await lab.answerTo(chat, (await lab.send(chat, text, { workspaceId: ADA, ...more })).id)).text;
};

test("/credentials set gives a one-time link to a page for that person and name", async () => {
  const [, token = ""] = /http:\/\/bot\.example\/once\/(\S+)$/.exec(await tell("/credentials set shop")) ?? [];
  expect(await lab.runtime().tickets.look(token)).toEqual({ for: "credential", person: "ada", name: "shop" });
});

test("names are listed, and a credential is removed", async () => {
  expect(await tell("/credentials list")).toBe("You have no credentials. /credentials set <name> adds one.");
  await credentials.set(ADA, { name: "shop", value: new Secret("x"), at: 1 });
  await credentials.set(ADA, { name: "mcp.notes.tokens", value: new Secret("x"), at: 1 });
  expect(await tell("/credentials")).toBe("Your credentials:\n- shop");
  expect(await tell("/credentials remove shop")).toBe("The credential shop is deleted.");
  expect(await tell("/credentials remove shop")).toMatch(/^You have no credential named shop/);
});

test.each([
  { typed: "/credentials set shop hunter2", says: /^Please do not send the value in a chat/ },
  { typed: "/credentials set", says: /^Credentials are what tools sign in with/ },
  { typed: "/credentials frob shop", says: /^Credentials are what tools sign in with/ },
  { typed: "/credentials set mcp.notes.tokens", says: /cannot be a credential's name/ },
  { typed: "/credentials set sh/op", says: /cannot be a credential's name/ },
])("$typed is answered with how to use it", async ({ typed, says }) => {
  expect(await tell(typed)).toMatch(says);
});

test("where others read along no link is given", async () => {
  expect(await tell("/credentials set shop", { authorName: "Ada" })).toMatch(/^Others read along here/);
});

test("/help names what there is here, and not what there is not", async () => {
  const help = await tell("/help");
  for (const name of ["credentials", "link", "privacy", "memory"]) expect(help).toContain(`- /${name}: `);
  // Neither models to choose from, nor tool servers, nor anything counted.
  for (const name of ["model", "mcp", "usage"]) expect(help).not.toContain(`- /${name}: `);
  expect(await tell("/model")).toBe("There is no choice of models here.");
});

test.each(["status", "tools", "usage", "debug", "where"])(
  "/%s with something behind it says how it is used",
  async (name) => {
    expect(await tell(`/${name} nonsense`)).toMatch(new RegExp(`^Nothing may follow /${name}: it \\w+`));
  },
);

test("/help says what one command does, and knows when there is none", async () => {
  expect(await tell("/help link")).toMatch(/^\/link: makes your accounts/);
  expect(await tell("/help /new")).toBe("/new: starts a new conversation; memory stays");
  expect(await tell("/help frob")).toMatch(/^I do not know \/frob\. There is:\n- \/approve: /);
});
