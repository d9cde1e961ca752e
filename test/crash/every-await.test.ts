import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { beatScript, claimScript, commitScript, finishScript, parkScript } from "../../src/store/transitions.ts";
import { privateRedis } from "../setup/redis.ts";
import { createApiClient, watchDeliveries } from "./api-client.ts";
import { strayKeys } from "./keys.ts";
import { loadSpare, type ParleyProcess } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";
import { startWatchingProxy, type Command, type Verdict } from "./watching-proxy.ts";

const SCRIPTS = Object.entries({ claimScript, commitScript, finishScript, parkScript, beatScript }).map(
  ([name, { lua }]) => ({ name, lua, sha: createHash("sha1").update(lua).digest("hex") }),
);

/**
 * What a command means to a run, or undefined for one that is not awaited by a run: heartbeats, hints, the doorbell.
 * Every await of a run is such a command, a call of the model, or a call of a tool.
 */
function labelOf([verb = "", first = "", ...rest]: Command): string | undefined {
  if (verb === "rpushx") return `append ${/^(.\{"s":"\w+")/.exec(rest[0] ?? "")?.[1] ?? rest[0]?.slice(0, 20)}`;
  if (verb === "hgetall" && first.startsWith("{ws:")) return "read memory";
  if (verb !== "evalsha" && verb !== "eval") return undefined;
  const script = SCRIPTS.find(({ sha, lua }) => sha === first || lua === first)?.name;
  if (script === undefined || script === "beatScript") return undefined;
  const lane = rest.find((part) => /^(chat|out)\//.test(part))?.split("/")[0];
  return lane === undefined ? script : `${script} of ${lane}`;
}

/** A moment of a run: the nth time something of this label happens. */
interface Moment {
  readonly label: string;
  readonly nth: number;
  readonly how: Exclude<Verdict, "pass">;
}

test("a process that dies at any await of a run: its message is answered exactly once all the same", async () => {
  const server = await privateRedis({ args: ["--appendonly", "yes"] });
  const redis = new Redis({ path: server.socketPath });
  onTestFinished(() => redis.disconnect());
  const world = await startOutsideWorld(() => 0);
  onTestFinished(() => world.stop());
  const env = { AI_URL: world.modelUrl, EFFECT_URL: world.effectUrl };
  const api = await (
    await loadSpare({ ...env, REDIS_URL: server.socketPath, PARLEY_ROLES: "api" }, { spare: false })
  ).begin();
  const client = createApiClient(api.url);
  const watching = new AbortController();
  onTestFinished(() => watching.abort());

  /** A worker behind a proxy of its own that can be told at which moment it dies. */
  async function loadMortal(number: number) {
    const listenAt = join(dirname(server.socketPath), `mortal-${number}.sock`);
    let moment: Moment | undefined;
    let counts = new Map<string, number>();
    let struck = false;
    let process: ParleyProcess | undefined;
    const kill = () => void process?.child.kill("SIGKILL");
    const count = (label: string): Verdict => {
      const nth = (counts.get(label) ?? 0) + 1;
      counts.set(label, nth);
      if (moment?.label !== label || moment.nth !== nth) return "pass";
      struck = true;
      return moment.how;
    };
    const proxy = await startWatchingProxy({
      listenAt,
      redisAt: server.socketPath,
      judge: (command) => {
        const label = labelOf(command);
        return label === undefined ? "pass" : count(label);
      },
      kill,
    });
    onTestFinished(() => proxy.stop());
    const spare = await loadSpare({ ...env, REDIS_URL: listenAt, PARLEY_ROLES: "worker" });
    return {
      /** From now on it works; calls of the outside world are counted as its moments too. */
      async begin() {
        process = await spare.begin();
        world.onRequest = async (path) => {
          if (count(`call ${path}`) === "pass") return;
          kill();
          await process?.ended;
        };
        return process;
      },
      arm(next: Moment | undefined) {
        moment = next;
        counts = new Map();
      },
      counts: () => counts,
      /** Whether its moment has come. */
      struck: () => struck,
    };
  }

  let number = 0;
  let mortal = await loadMortal(number);
  let running = await mortal.begin();
  let heir = loadHeir();

  function loadHeir() {
    const loading = loadMortal(++number);
    // The last one is killed with the test while it still loads.
    loading.catch(() => {});
    return loading;
  }

  /** Sends a message that needs a read, an idempotent and a once tool, and sees to its answer. */
  async function live(name: string, moment: Moment | undefined): Promise<{ died: boolean; problems: string[] }> {
    const deliveries = Promise.withResolvers<void>();
    const seen = await watchDeliveries(api.url, `api:${name}`, {
      signal: watching.signal,
      onDelivery: () => deliveries.resolve(),
    });
    mortal.arm(moment);
    await client.send({ user_id: name, message_id: name, text: `${name} look put pay` });
    await Promise.race([running.ended, deliveries.promise]);
    const died = mortal.struck();
    if (died) {
      await running.ended;
      mortal = await heir;
      heir = loadHeir();
      mortal.arm(undefined);
      running = await mortal.begin();
      await deliveries.promise;
    }
    const view = await client.message(name);
    const run = await client.run(view.run_id ?? "");
    const steps = run.steps.map((step) => step.name);
    const paid = world.effects.filter((effect) => effect.tool === "pay" && effect.message === name).length;
    const text = view.answers[0]?.text ?? "";
    const problems: string[] = [];
    if (view.status !== "answered" || view.answers.length !== 1 || seen.length !== 1)
      problems.push(`${view.status}, ${view.answers.length} answers, ${seen.length} seen`);
    if (!text.startsWith(`done ${name}: look put pay`)) problems.push(`answered "${text}"`);
    if (steps.join() !== "ai_call_1,tool_1_1,ai_call_2,tool_2_1,ai_call_3,tool_3_1,ai_call_4")
      problems.push(`steps ${steps.join()}`);
    if (paid > 1 || (paid === 0 && !text.includes("Please check: pay"))) problems.push(`paid ${paid} times`);
    return { died, problems };
  }

  // The first time scripts are sent in full; the second time is as always.
  expect((await live("warm-up", undefined)).problems).toEqual([]);
  expect((await live("rehearsal", undefined)).problems).toEqual([]);
  const moments: Moment[] = [...mortal.counts()].flatMap(([label, times]) =>
    Array.from({ length: times }, (_, index) => index + 1).flatMap((nth): Moment[] =>
      label.startsWith("call ")
        ? [{ label, nth, how: "die-after" }]
        : [
            { label, nth, how: "die-before" },
            { label, nth, how: "die-after" },
          ],
    ),
  );
  expect(moments.map(({ label }) => label)).toEqual(
    expect.arrayContaining([
      "claimScript",
      "finishScript of chat",
      "finishScript of out",
      "call /model",
      "call /effect",
    ]),
  );

  const report: string[] = [];
  const survived: string[] = [];
  for (const [index, moment] of moments.entries()) {
    const { died, problems } = await live(`point-${index}`, moment);
    const name = `${moment.how} ${moment.label} #${moment.nth}`;
    if (!died) survived.push(name);
    report.push(...problems.map((problem) => `${name}: ${problem}`));
  }
  console.log(`every await: ${moments.length} moments, ${survived.length} not reached: ${survived.join(", ")}`);
  expect(report).toEqual([]);
  // The second claim may find what the first already took; every other moment is reached each time.
  expect(survived.filter((name) => !name.includes("claimScript"))).toEqual([]);
  expect(await redis.hlen("{p0}own"), "lanes that are not idle").toBe(0);
  expect(await strayKeys(redis)).toEqual([]);
});
