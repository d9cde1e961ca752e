import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { laneId, type LaneId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { parseLines } from "../../src/engine/journal.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { repairAppendOnlyFile } from "../../src/store/repair-aof.ts";
import { privateRedis } from "../setup/redis.ts";
import { checkJournal } from "./check-journal.ts";
import { explainKeys } from "./explain-keys.ts";
import { mail } from "./lane-lab.ts";
import { answer, handler, hire } from "./worker-lab.ts";

const KILLS = 6;

test(
  "a Redis that writes everything down and is killed under load loses nothing it has acknowledged",
  { timeout: 60_000 },
  async () => {
    const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes", "--appendfsync", "always"] });
    const target = { kind: "socket", path: server.socketPath } as const;
    const delivered: string[] = [];
    const roles = {
      chat: {
        concurrency: 10,
        handler: handler(async (run) => {
          await run.step("think", async () => "about it");
          return answer(run, String(run.messages()[0]), laneId("out", run.lane.slice(5)));
        }),
      },
      out: {
        concurrency: 10,
        handler: handler(async (run) => {
          const { id, text } = run.messages()[0] as { id: string; text: string };
          await run.step("send", async () => delivered.push(`${id} ${text}`));
          return { kind: "finish", end: "done", journal: "drop" };
        }),
      },
    };
    const hands = await Promise.all([hire({ target, handle: roles }), hire({ target, handle: roles })]);
    const workers = hands.map(({ worker }) => worker.id());
    const redis = connectRedis(target, "client", silentLog);
    onTestFinished(() => redis.disconnect());
    const lanes = createLanes({ redis, partitions: 1, newId: randomUUID });

    const names = Array.from({ length: 15 }, (_, index) => laneId("chat", `c${index}`));
    const acknowledged = new Map<LaneId, string[]>(names.map((lane) => [lane, []]));
    let acknowledgements = 0;
    let stopped = false;
    const people = names.map(async (lane, person) => {
      for (let index = 0; !stopped; index++) {
        const id = `p${person}m${index}`;
        const { status } = await lanes.admit(lane, mail(id));
        expect(["started", "queued"]).toContain(status);
        acknowledged.get(lane)?.push(id);
        acknowledgements++;
      }
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const before = acknowledgements;
      await expect.poll(() => acknowledgements, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 150);
      await server.kill();
      repairAppendOnlyFile(dirname(server.socketPath));
      await server.restart();
    }
    stopped = true;
    await Promise.all(people);

    const direct = new Redis({ path: server.socketPath });
    onTestFinished(() => direct.disconnect());
    await Promise.race(hands.map((hand) => hand.until(() => delivered.length >= acknowledgements)));
    await expect.poll(async () => (await lanes.active(0)).size, { timeout: 20_000 }).toBe(0);
    for (const lane of names) {
      const lines = await lanes.readJournal(lane);
      expect(checkJournal(lines)).toEqual([]);
      const read = parseLines(lines).flatMap((entry) => (entry.kind === "opened" ? [entry.message] : []));
      expect(read).toEqual(acknowledged.get(lane));
    }
    // One delivery for each message, under one name; sent once, unless a worker was so starved that it lost its lease.
    const everything = [...acknowledged.values()].flat();
    const distinct = [...new Set(delivered)];
    expect(distinct.map((line) => line.slice(line.indexOf(" ") + 1)).sort()).toEqual(everything.sort());
    if (hands.every(({ worker }, index) => worker.id() === workers[index])) expect(delivered).toEqual(distinct);
    for (const { worker } of hands) await worker.drain(0);
    expect(await explainKeys(direct)).toEqual([]);
  },
);
