import { expect, test } from "vitest";
import { runHere } from "./in-process.ts";

test.each([
  [["chatt"], "unknown command 'chatt'\n(Did you mean chat?)"],
  [["chat", "--loud"], "unknown option '--loud'"],
  [["chat", "hello"], "too many arguments for 'chat'"],
  [["chat", "--user"], "option '--user <name>' argument missing"],
  [["chat", "--user", "two words"], "user_id contains white space"],
  [["chat", "--conversation", "a{b}"], "conversation_id contains white space, a control character or a brace"],
  [["chat", "--url", "localhost:8300"], "--url needs an address such as http://127.0.0.1:8300"],
  [["keys", "create", "--scope", "chat"], "required option '--name <name>' not specified"],
  [["keys", "create", "--name", "x", "--scope", "all"], "Allowed choices are admin, chat, read"],
  [["keys", "revoke"], "missing required argument 'id'"],
  [["config", "shw"], "unknown command 'shw'"],
  [["doctor"], "unknown command 'doctor'"],
])("%j is refused with what is wrong", async (args, message) => {
  const { out, err, code } = await runHere(args);
  expect(out).toBe("");
  expect(err).toMatch(/^parley: /);
  expect(err).toContain(message);
  expect(code).toBe(2);
});

test.each([
  [[], "chat [options]"],
  [["--help"], "keys"],
  [["help", "chat"], "--conversation <id>"],
  [["keys", "create", "--help"], '(choices: "admin", "chat", "read")'],
  [["--version"], "0.1.0"],
])("%j is answered", async (args, part) => {
  const { out, err, code } = await runHere(args);
  expect(out).toContain(part);
  expect(err).toBe("");
  expect(code).toBe(0);
});
