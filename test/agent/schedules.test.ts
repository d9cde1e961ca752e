import { afterAll, expect, test } from "vitest";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import type { ConversationId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, refuse, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());
const OWNER = parseWorkspaceId("user-1");

/** Moves the next fire of a schedule to the moment before now, as if its time had come. */
async function fallDue(id: string): Promise<number> {
  const number = Number.parseInt(id.split("-")[1] ?? "", 36);
  const bucket = Math.floor(number / 64);
  const slot = Date.now() - 5;
  await lab.redis.zadd(`{p0}schf:${bucket}`, slot, String(number % 64));
  await lab.redis.zadd("{p0}sched", slot, String(bucket));
  return slot;
}

async function command(conversation: ConversationId, text: string) {
  const { id } = await lab.send(conversation, text);
  return lab.answerTo(conversation, id);
}

const idIn = (text: string) => /\b(s0-[0-9a-z]+)\b/.exec(text)?.[1] ?? "";
const sweep = () => lab.runtime().sweeper.sweep();
/** Every fire of a schedule says something else, so that the script can tell them apart. */
const deliveries = (conversation: ConversationId, text: string) =>
  lab.until(() => lab.said(conversation).find((each) => each.text.includes(text)));

test("a schedule made by command is confirmed, fires in its conversation and stands in its history", async () => {
  const conversation = lab.conversation();
  const confirmed = await command(conversation, "/schedule add every day at 9:00 tz Europe/Madrid | count sheep-one");
  expect(confirmed.text).toMatch(
    /^Schedule s0-\w+: count sheep-one\nWhen: At 09:00 \(Europe\/Madrid\)\nIt fires next:\n/,
  );
  expect(confirmed.text.match(/^- \w{3} \d+ \w{3} \d{4}, 09:00/gm)).toHaveLength(5);
  expect(confirmed.text).toContain(`Delivered to: the conversation ${conversation} over the API`);
  const id = idIn(confirmed.text);
  lab.model.when("count sheep-one", say("There are seven."));
  const slot = await fallDue(id);
  await sweep();
  const answer = await deliveries(conversation, "There are seven.");
  expect(answer.answers).toEqual([`sched:${id}:${slot}`]);
  const asked = lab.model.request("count sheep-one");
  expect(asked.messages.at(-1)?.content).toBe("[Scheduled task]: count sheep-one");
  expect(asked.messages[0]?.content).toContain("[silent]");
  await expect
    .poll(async () => (await lab.runtime().schedules.history(id, OWNER))?.[0])
    .toMatchObject({ slot, did: "ran", run: { status: "done", delivered: [{ postedId: expect.any(String) }] } });
  await expect(command(conversation, `/schedule history ${id}`)).resolves.toMatchObject({
    text: expect.stringMatching(/ran, on time, done, delivered as /),
  });
});

test("a conversation in which only a schedule speaks is there to be read", async () => {
  const conversation = lab.conversation();
  const added = await lab.runtime().schedules.add({
    owner: OWNER,
    conversationId: conversation,
    when: "in 10m",
    description: "greet sheep-zero",
    operation: "greet",
  });
  expect((await lab.runtime().door.conversation(conversation))?.owner).toBe(OWNER);
  lab.model.when("greet sheep-zero", say("Good morning."));
  await fallDue(added.id);
  await sweep();
  await deliveries(conversation, "Good morning.");
  const transcript = await lab.runtime().door.transcript(conversation);
  expect(transcript.map(({ text }) => text)).toEqual(["[Scheduled task]: greet sheep-zero", "Good morning."]);
});

test("the model can schedule, and an unclear time is asked about with buttons", async () => {
  const conversation = lab.conversation();
  lab.model.when(
    "sheep-two please",
    call({ name: "schedule_add", args: { when: "every day at 5 tz UTC", description: "count sheep-two-later" } }),
    call({ name: "schedule_add", args: { when: "every day at 5pm tz UTC", description: "count sheep-two-later" } }),
    say("It is scheduled."),
  );
  const { id } = await lab.send(conversation, "sheep-two please");
  const question = await lab.delivery(conversation, "question");
  expect(question.choices).toEqual(["every day at 5am tz UTC", "every day at 5pm tz UTC"]);
  await lab.send(conversation, "every day at 5pm tz UTC");
  await expect(lab.answerTo(conversation, id)).resolves.toMatchObject({ text: "It is scheduled." });
  const all = await lab.runtime().schedules.list(OWNER);
  const made = all.filter(({ conversationId }) => conversationId === conversation);
  expect(made.map(({ words, description }) => [words, description])).toEqual([["At 17:00", "count sheep-two-later"]]);
});

test("without a known zone the person is asked for it, and the choices are commands", async () => {
  const conversation = lab.conversation();
  const asked = await command(conversation, "/schedule add every day at 9:00 | count sheep-three");
  expect(asked.kind).toBe("question");
  expect(asked.choices).toContain("/schedule add every day at 9:00 tz Europe/Berlin | count sheep-three");
  await expect(command(conversation, asked.choices?.[1] ?? "")).resolves.toMatchObject({
    text: expect.stringContaining("(Europe/Berlin)"),
  });
  const before = await command(conversation, "/schedule add in 30m | count sheep-three-b");
  expect(before.text).toContain("It fires:");
});

test("a zone that was set once is used from then on", async () => {
  const conversation = lab.conversation();
  const other = parseWorkspaceId("user-of-tokyo");
  const send = async (text: string) => {
    const { id } = await lab.send(conversation, text, { workspaceId: other });
    return (await lab.answerTo(conversation, id)).text;
  };
  await expect(send("/schedule zone Asia/Tokyo")).resolves.toContain("Your time zone is Asia/Tokyo");
  await expect(send("/schedule add every day at 9:00 | rise")).resolves.toContain("(Asia/Tokyo)");
});

test("a run that finds nothing to report says nothing", async () => {
  const conversation = lab.conversation();
  const confirmed = await command(conversation, "/schedule add every 10m | watch sheep-four");
  const id = idIn(confirmed.text);
  lab.model.when("watch sheep-four", say("[silent]"));
  await fallDue(id);
  await sweep();
  await expect.poll(async () => (await lab.runtime().schedules.history(id, OWNER))?.[0]?.run?.status).toBe("silent");
  expect(lab.said(conversation).map(({ text }) => text)).toEqual([confirmed.text]);
});

test("two failures in a row alert, ten disable with a message, and resuming starts again", async () => {
  const conversation = lab.conversation();
  const confirmed = await command(conversation, "/schedule add every 10m | break sheep-five");
  const id = idIn(confirmed.text);
  const fail = refuse(400, { error: { message: "the key is wrong" } });
  for (let slot = 1; slot <= 10; slot++) {
    // A failed slot is tried twice more before it counts.
    lab.model.when("break sheep-five", fail, fail, fail);
    await fallDue(id);
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (attempt > 1) await retryNow(id);
      await sweep();
      const tries = slot * 3 - 3 + attempt;
      await expect.poll(async () => (await outcomes(id)).length).toBe(tries);
    }
  }
  const alerts = await lab.until(() => {
    const notices = lab.said(conversation).filter(({ kind, text }) => kind === "notice" && text !== confirmed.text);
    return notices.length === 2 ? notices : undefined;
  });
  expect(alerts[0]?.text).toMatch(/failed 2 times in a row\. I go on trying.*The last error: /);
  expect(alerts[1]?.text).toMatch(/^I disabled the schedule .* it failed 10 times in a row/);
  expect(await lab.runtime().schedules.find(id)).toMatchObject({ status: "disabled", next: [] });
  const resumed = await command(conversation, `/schedule resume ${id}`);
  expect(resumed.text).toContain("It fires next:");
  expect(await lab.runtime().schedules.find(id)).toMatchObject({ status: "active", failures: 0 });
}, 60_000);

test("a schedule can be made anew inside its own run", async () => {
  const conversation = lab.conversation();
  const confirmed = await command(conversation, "/schedule add in 10m | chain sheep-six");
  const id = idIn(confirmed.text);
  lab.model.when(
    "chain sheep-six",
    call({ name: "schedule_add", args: { when: "in 10m", description: "chain sheep-six" } }),
    say("Chained once."),
    say("Chained twice."),
  );
  await fallDue(id);
  await sweep();
  await deliveries(conversation, "Chained once.");
  const [next] = (await lab.runtime().schedules.list(OWNER)).filter(
    (each) => each.conversationId === conversation && each.id !== id,
  );
  expect(next).toMatchObject({ status: "active", description: "chain sheep-six" });
  await fallDue(next?.id ?? "");
  await sweep();
  await deliveries(conversation, "Chained twice.");
});

test("a fire waits behind a question instead of answering it", async () => {
  const conversation = lab.conversation();
  const id = idIn((await command(conversation, "/schedule add every 10m | feed sheep-seven")).text);
  lab.model.when("ask sheep-eight", call({ name: "ask_user", args: { question: "How many?" } }), say("Three it is."));
  lab.model.when("feed sheep-seven", say("Fed."));
  const asking = await lab.send(conversation, "ask sheep-eight");
  await lab.delivery(conversation, "question");
  await fallDue(id);
  await sweep();
  await lab.send(conversation, "three");
  await expect(lab.answerTo(conversation, asking.id)).resolves.toMatchObject({ text: "Three it is." });
  await deliveries(conversation, "Fed.");
});

test("a rehearsal does the task once and leaves the plan as it is", async () => {
  const conversation = lab.conversation();
  const id = idIn((await command(conversation, "/schedule add every day at 9:00 tz UTC | rehearse sheep-nine")).text);
  const before = await lab.runtime().schedules.find(id);
  lab.model.when("rehearse sheep-nine", say("Rehearsed."));
  await command(conversation, `/schedule run ${id}`);
  await deliveries(conversation, "Rehearsed.");
  expect(await lab.runtime().schedules.find(id)).toEqual(before);
  await expect(lab.runtime().schedules.history(id)).resolves.toEqual([]);
});

test("the commands change, pause, list and delete", async () => {
  const conversation = lab.conversation();
  const id = idIn((await command(conversation, "/schedule add weekdays at 9am tz UTC to shear the sheep-ten")).text);
  await expect(command(conversation, `/schedule edit ${id} every monday at 8:00 | wash them`)).resolves.toMatchObject({
    text: expect.stringMatching(/wash them\nWhen: At 08:00, only on Monday/),
  });
  await expect(command(conversation, `/schedule pause ${id}`)).resolves.toMatchObject({
    text: expect.stringContaining("It is paused."),
  });
  await expect(command(conversation, "/schedule")).resolves.toMatchObject({
    text: expect.stringContaining(`- ${id}: wash them (At 08:00, only on Monday, UTC; paused)`),
  });
  await expect(command(conversation, `/schedule delete ${id}`)).resolves.toMatchObject({
    text: `The schedule ${id} is deleted.`,
  });
  await expect(command(conversation, `/schedule show ${id}`)).resolves.toMatchObject({
    text: `You have no schedule ${id}.`,
  });
  await expect(command(conversation, "/schedule add blah | x")).resolves.toMatchObject({
    text: expect.stringMatching(/^I do not understand "blah"/),
  });
});

async function outcomes(id: string): Promise<string[]> {
  const lines = await lab.redis.lrange(`{p0}schl:${Number.parseInt(id.split("-")[1] ?? "", 36)}`, 0, -1);
  return lines.filter((line) => line.startsWith("o"));
}

/** Lets the waiting retry of a schedule fall due. */
async function retryNow(id: string): Promise<void> {
  const number = Number.parseInt(id.split("-")[1] ?? "", 36);
  const bucket = Math.floor(number / 64);
  const members = await lab.redis.zrange(`{p0}schf:${bucket}`, 0, "-1");
  const retry = members.find((member) => member.startsWith(`${number % 64}!`));
  expect(retry).toBeDefined();
  await lab.redis.zadd(`{p0}schf:${bucket}`, Date.now() - 5, retry ?? "");
  await lab.redis.zadd("{p0}sched", Date.now() - 5, String(bucket));
}
