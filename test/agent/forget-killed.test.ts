import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { say } from "./model-server.ts";

const database = await testRedis();
const lab = await openLab({ database });
afterAll(() => lab.close());

test("a deletion that is killed in the middle is finished by another process, with one receipt that says so", async () => {
  const ada = { workspaceId: parseWorkspaceId("ada") };
  const [chat, other] = [lab.conversation(), lab.conversation()];
  const { memory } = lab.runtime();
  await memory.set(ada.workspaceId, { key: "city", value: "Turin", at: 1 });
  await memory.set(ada.workspaceId, { key: "pet", value: "cat", at: 1 });
  lab.model.when("a word", say("Another word."));
  await lab.answerTo(other, (await lab.send(other, "a word", ada)).id);
  const asked = await lab.send(chat, "/privacy forget", ada);
  await lab.delivery(chat, "question");
  await lab.runtime().worker.drain(0);

  const consent = await lab.send(chat, "Delete everything", ada);
  const child = spawn(process.execPath, [new URL("./programs/dying-forgetter.ts", import.meta.url).pathname], {
    env: { PATH: process.env["PATH"], REDIS_PATH: database.path, REDIS_DB: String(database.db) },
    stdio: "inherit",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
  expect((await memory.list(ada.workspaceId)).entries).toEqual([]);
  expect(await lab.status(chat, asked.id)).toMatchObject({ answers: [] });

  await lab.restart();
  const receipt = await lab.answerTo(chat, asked.id);
  expect(receipt.answers).toEqual([asked.id, consent.id]);
  for (const line of [
    "- memory entries: 2",
    "- conversations: 2",
    "The deletion was interrupted and has been finished",
  ])
    expect(receipt.text).toContain(line);
  expect(await lab.runtime().door.conversation(other)).toBeUndefined();
});
