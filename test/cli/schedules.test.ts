import { afterAll, describe, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { runHere } from "./in-process.ts";
import { startBot, temporaryFolder } from "./processes.ts";

const redis = await privateRedis({ until: afterAll });
const bot = await startBot({ REDIS_URL: redis.socketPath, PARLEY_DATA: temporaryFolder(afterAll) }, afterAll);

/** `parley schedule …`, where it matters in the name of a person. */
async function schedule(command: string, ...args: string[]) {
  const { out, err, code } = await runHere(["schedule", command, ...args, "--url", bot.url]);
  return { text: `${out}${err}`, code };
}

describe("parley schedule", () => {
  test("makes, lists, shows, pauses, resumes, edits, rehearses and deletes one", async () => {
    const added = await schedule("add", "weekdays at 9am tz Europe/Madrid", "sum up my mail", "--user", "ann");
    expect(added).toMatchObject({ code: 0 });
    expect(added.text).toMatch(/^Schedule (s\d+-\w+): sum up my mail\n.*Europe\/Madrid/);
    const id = /^Schedule (\S+):/.exec(added.text)?.[1] ?? "";
    expect((await schedule("list", "--user", "ann")).text).toContain(id);
    expect((await schedule("list", "--user", "bob")).text).not.toContain(id);
    expect((await schedule("pause", id)).code).toBe(0);
    expect((await schedule("show", id)).text).toContain("paused");
    expect((await schedule("resume", id)).code).toBe(0);
    expect((await schedule("edit", id, "--what", "sum up the news")).code).toBe(0);
    expect((await schedule("show", id)).text).toContain("sum up the news");
    expect((await schedule("run", id)).code).toBe(0);
    expect((await schedule("history", id)).code).toBe(0);
    expect((await schedule("delete", id)).code).toBe(0);
    expect(await schedule("show", id)).toMatchObject({ code: 1, text: expect.stringContaining(id) });
  });

  test("says what a phrase means, and stores nothing", async () => {
    const { text, code } = await schedule("preview", "every day at 9", "--tz", "UTC");
    expect(text).toMatch(/09:00/);
    expect(code).toBe(0);
  });

  test.each([
    ["at 5", /morning or in the afternoon\?\n {2}- .+\n {2}- .+/],
    ["every blue moon", /^parley: /],
    ["61 * * * *", /^parley: .*61/],
  ])("%j is refused with what is wrong, or with what it may mean", async (when, said) => {
    const refused = await schedule("add", when, "say hello", "--user", "ann");
    expect(refused.text).toMatch(said);
    expect(refused.code).toBe(1);
  });
});
