import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { admitScript, finishScript } from "../../src/store/transitions.ts";
import { REPEAT_MARK } from "../../src/platforms/contract.ts";
import { strayKeys } from "./keys.ts";
import { loadSpare, startParley, type ParleyProcess } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";
import { startWatchingProxy, type Command, type Verdict } from "./watching-proxy.ts";
import { privateRedis } from "../setup/redis.ts";
import type { Nature } from "../platforms/contract-suite.ts";
import type { Shown, World } from "../platforms/world.ts";

const SCRIPTS = { admit: admitScript, finish: finishScript };

/**
 * A moment between the platform's event and its acknowledgement, or between the first try to send and the note that it
 * was sent. Undefined for everything else.
 */
function labelOf([verb = "", first = "", ...rest]: Command): string | undefined {
  if (verb === "rpushx") {
    const step = /"s":"((?:sending|send)[^"]*)"/.exec(rest[0] ?? "")?.[1];
    return step === undefined ? undefined : `append ${step}`;
  }
  if (verb !== "evalsha" && verb !== "eval") return undefined;
  for (const [name, { lua }] of Object.entries(SCRIPTS))
    if (first === lua || first === createHash("sha1").update(lua).digest("hex")) {
      const lane = rest.find((part) => /^(chat|out)\//.test(part))?.split("/")[0];
      return name === "admit" || lane === "out" ? `${name} of ${lane}` : undefined;
    }
  return undefined;
}

interface Moment {
  readonly label: string;
  readonly how: Exclude<Verdict, "pass">;
}

/**
 * The whole program dies, by SIGKILL, at every moment on the way in and on the way out; another process goes on. Every
 * message is answered: once, or, where a platform has no means against it, once and then with the mark of a repeat.
 */
export function describeKills(name: string, open: () => Promise<World>, nature: Pick<Nature, "repeats">): void {
  describe(`${name}, killed`, () => {
    test("at every moment between receiving and acknowledging, and between sending and noting that it was sent", async () => {
      const stage = await openKillStage(await open());
      const rehearsal = await stage.live("rehearsal", undefined);
      expect(rehearsal.problems).toEqual([]);
      await stage.live("again", undefined);
      const moments = [...stage.counts().keys()].flatMap((label): Moment[] => [
        { label, how: "die-before" },
        { label, how: "die-after" },
      ]);
      const labels = moments.map(({ label }) => label);
      expect(labels).toEqual(
        expect.arrayContaining(["admit of chat", "append sending:0:1", "append send:0", "finish of out"]),
      );
      const report: string[] = [];
      let repeats = 0;
      for (const [index, moment] of moments.entries()) {
        const lived = await stage.live(`point${index}x`, moment);
        report.push(...lived.problems.map((problem) => `${moment.how} ${moment.label}: ${problem}`));
        if (!lived.died) report.push(`${moment.how} ${moment.label} was not reached`);
        repeats += lived.repeats;
      }
      console.log(`${name}: died at ${moments.length} moments; ${repeats} marked repeats`);
      expect(report).toEqual([]);
      if (nature.repeats === "recognised") expect(repeats).toBe(0);
      await stage.quiet();
      expect(await strayKeys(stage.redis)).toEqual([]);
    }, 240_000);

    test("while the platform has the message and its reply is still on the way", async () => {
      const stage = await openKillStage(await open());
      stage.world.fault?.({ kind: "reply-lost" });
      const { problems, repeats } = await stage.liveUntilPosted("posted");
      expect(problems).toEqual([]);
      expect(repeats).toBe(nature.repeats === "marked" ? 1 : 0);
    }, 60_000);
  });
}

async function openKillStage(world: World) {
  onTestFinished(() => world.close());
  const server = await privateRedis({ args: ["--appendonly", "yes"] });
  const redis = new Redis({ path: server.socketPath });
  onTestFinished(() => redis.disconnect());
  const outside = await startOutsideWorld(() => 0);
  onTestFinished(() => outside.stop());
  const env = { AI_URL: outside.modelUrl, EFFECT_URL: outside.effectUrl, PARLEY_ACCESS: "open", ...world.env };
  let mortal = await loadMortal(0);
  let running = await mortal.begin();
  let heir = loadHeir(1);

  async function loadMortal(number: number) {
    const listenAt = join(dirname(server.socketPath), `mortal-${number}.sock`);
    let moment: Moment | undefined;
    let counts = new Map<string, number>();
    let struck = false;
    let process: ParleyProcess | undefined;
    const proxy = await startWatchingProxy({
      listenAt,
      redisAt: server.socketPath,
      judge: (command) => {
        const label = labelOf(command);
        if (label === undefined) return "pass";
        const nth = (counts.get(label) ?? 0) + 1;
        counts.set(label, nth);
        // The first time it happens is the message in question; what follows are others.
        if (moment?.label !== label || nth !== 1) return "pass";
        struck = true;
        return moment.how;
      },
      kill: () => void process?.child.kill("SIGKILL"),
    });
    onTestFinished(() => proxy.stop());
    const spare = await loadSpare({ ...env, REDIS_URL: listenAt });
    return {
      async begin() {
        process = await spare.begin();
        return process;
      },
      arm(next: Moment | undefined) {
        moment = next;
        counts = new Map();
      },
      counts: () => counts,
      struck: () => struck,
    };
  }

  function loadHeir(number: number) {
    const loading = loadMortal(number).then((next) => ({ ...next, number }));
    // The last one is killed with the test while it still loads.
    loading.catch(() => {});
    return loading;
  }

  async function succeed(): Promise<void> {
    await running.ended;
    // As if five seconds had passed: the lease of a dead process ends by Redis' clock.
    await redis.del(`lease:listen:${world.platform}`);
    const next = await heir;
    heir = loadHeir(next.number + 1);
    mortal = next;
    mortal.arm(undefined);
    running = await mortal.begin();
  }

  /** What a person sees of the answer to `name`, and what is wrong about it. */
  async function judge(person: string, name: string): Promise<{ problems: string[]; repeats: number }> {
    const chat = world.direct(person);
    const answers = (shown: readonly Shown[]) => shown.filter(({ text }) => text.includes(`done ${name}:`));
    await world.until(chat, (shown) => answers(shown).length > 0);
    await expect.poll(() => world.unacknowledged(), { timeout: 30_000 }).toBe(0);
    // What comes after it in the same conversation is answered after it: nothing of it is still on the way.
    await world.say(chat, person, { text: `${name}after` });
    await world.until(chat, (shown) => shown.some(({ text }) => text.includes(`done ${name}after:`)));
    const all = world.shown(chat).filter(({ text }) => text.includes(`done ${name}:`));
    const marked = all.filter(({ text }) => text.includes(REPEAT_MARK)).length;
    const clean = all.length - marked;
    // A mark says "may": it also stands where the first try had not come to sending.
    const isRight = clean === 1 || (clean === 0 && marked === 1);
    return { problems: isRight ? [] : [`${clean} answers, ${marked} marked repeats`], repeats: marked };
  }

  /** Resolves when nothing is on its way any more. */
  const quiet = () => expect.poll(() => redis.hlen("{p0}own"), { timeout: 30_000 }).toBe(0);

  return {
    world,
    redis,
    quiet,
    counts: () => mortal.counts(),
    /** Says a message, dies at the moment, goes on with another process. */
    async live(name: string, moment: Moment | undefined) {
      const person = `person-${name}`;
      const chat = world.direct(person);
      // Listening is up when a first message is answered.
      await world.say(chat, person, { text: `${name}before` });
      await world.until(chat, (shown) => shown.some(({ text }) => text.includes(`done ${name}before:`)));
      await expect.poll(() => world.unacknowledged(), { timeout: 30_000 }).toBe(0);
      await quiet();
      mortal.arm(moment);
      await world.say(chat, person, { text: name });
      const done = async (what: string) => {
        await world.until(chat, (shown) => shown.some(({ text }) => text.includes(`done ${what}:`)));
      };
      // When the next one is answered, everything about this one was over: the moment did not come.
      const passed = done(name).then(async () => {
        if (mortal.struck()) return running.ended;
        await world.say(chat, person, { text: `${name}next` });
        return done(`${name}next`);
      });
      await (moment === undefined ? done(name) : Promise.race([running.ended, passed]));
      const died = mortal.struck();
      if (died) await succeed();
      return { died, ...(await judge(person, name)) };
    },
    /** Says a message and kills the process as soon as the person can see the answer. */
    async liveUntilPosted(name: string) {
      const person = `person-${name}`;
      const chat = world.direct(person);
      await world.say(chat, person, { text: name });
      await world.until(chat, (shown) => shown.some(({ text }) => text.includes(`done ${name}:`)));
      running.child.kill("SIGKILL");
      await succeed();
      return judge(person, name);
    },
  };
}

/** Two processes with one account: one listens, dies, and the other one takes over. */
export function describeTakeover(name: string, open: () => Promise<World>): void {
  test(`${name}: of two processes one listens; when it is killed the other takes over, nothing is lost or doubled`, async () => {
    const world = await open();
    onTestFinished(() => world.close());
    const server = await privateRedis({ args: ["--appendonly", "yes"] });
    const redis = new Redis({ path: server.socketPath });
    onTestFinished(() => redis.disconnect());
    const outside = await startOutsideWorld(() => 0);
    onTestFinished(() => outside.stop());
    const env = {
      AI_URL: outside.modelUrl,
      EFFECT_URL: outside.effectUrl,
      PARLEY_ACCESS: "open",
      REDIS_URL: server.socketPath,
      ...world.env,
    };
    const first = await startParley(env);
    const chat = world.direct("ada");
    const answered = (said: string) => (shown: readonly Shown[]) =>
      shown.some(({ text }) => text.includes(`done ${said}:`));
    await world.say(chat, "ada", { text: "one" });
    await world.until(chat, answered("one"));
    const second = await startParley(env);
    await expect.poll(() => checksOf(second), { timeout: 20_000 }).toMatch(/another process listens/);
    const killedAt = performance.now();
    first.child.kill("SIGKILL");
    await first.ended;
    await world.say(chat, "ada", { text: "two" });
    await world.say(chat, "ada", { text: "three" });
    await world.until(chat, answered("three"));
    console.log(`${name}: answered again ${Math.round(performance.now() - killedAt)} ms after the kill`);
    await expect.poll(() => world.unacknowledged(), { timeout: 30_000 }).toBe(0);
    const words = world.shown(chat).map(({ text }) => /done (\w+)/.exec(text)?.[1]);
    expect(words).toEqual(["one", "two", "three"]);
    expect(await checksOf(second)).toMatch(/^connected/);

    async function checksOf({ url }: ParleyProcess): Promise<string> {
      const response = await fetch(`${url}/readyz`);
      return ((await response.json()) as { checks: Record<string, string> }).checks[world.platform] ?? "";
    }
  }, 90_000);
}
