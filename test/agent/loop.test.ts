import { afterAll, expect, test } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());

test("a message is answered and its fate is known", async () => {
  const chat = lab.conversation();
  lab.model.when("hello", say("Hi there."));
  const { id, status } = await lab.send(chat, "hello");
  expect(status).toBe("started");
  expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "answer", text: "Hi there.", answers: [id] });
  expect(await lab.status(chat, id)).toMatchObject({ status: "answered", steps: 1, answers: [{ text: "Hi there." }] });
});
