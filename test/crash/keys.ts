import type { Redis } from "ioredis";

/** Families of keys and what bounds each; a key outside them, or one without its bound, has no owner. */
const FAMILIES: readonly { readonly name: RegExp; readonly bound: "ttl" | "ttl or cold" | "fixed" }[] = [
  { name: /^parley:partitions$/, bound: "fixed" },
  { name: /^\{p\d+\}(workers|cold|rest|bell:\w+)$/, bound: "fixed" },
  { name: /^\{p\d+\}[mrt]:/, bound: "ttl" },
  { name: /^\{p\d+\}c:chat\/[^ ]+$/, bound: "ttl or cold" },
  { name: /^\{p\d+\}a:chat\//, bound: "ttl" },
  { name: /^\{p\d+\}dead$/, bound: "ttl" },
  { name: /^\{p\d+\}(sched|schn|schx)$/, bound: "fixed" },
  { name: /^\{p\d+\}sch[df]:\d+$/, bound: "fixed" },
  { name: /^\{p\d+\}scho:/, bound: "fixed" },
  { name: /^\{p\d+\}(sch[kl]:|schs$)/, bound: "ttl" },
  { name: /^\{p\d+\}ap:/, bound: "ttl" },
  { name: /^conv:\{/, bound: "ttl" },
  { name: /^convs(:\{.*)?$/, bound: "fixed" },
  { name: /^(\{ws:[^}]+\}:budget:|\{budget\}:)/, bound: "ttl" },
  { name: /^\{ws:[^}]+\}:forgetting$/, bound: "ttl" },
  { name: /^\{links\}:(of|to:.*)$/, bound: "fixed" },
  { name: /^\{links\}:(code|current|tries):/, bound: "ttl" },
  { name: /^ticket:/, bound: "ttl" },
  { name: /^(press:|shown:\{|lease:|note:\{|reached:\{)/, bound: "ttl" },
  { name: /^\{p\d+\}late:/, bound: "ttl" },
  { name: /^\{pair\}:allowed$/, bound: "fixed" },
  { name: /^\{pair\}:(code:|of:|pending$)/, bound: "ttl" },
  { name: /^\{ws:[^}]+\}:(artifact|upload|result)(s$|:)/, bound: "ttl" },
  { name: /^parley:link-key$/, bound: "fixed" },
  { name: /^breaker:/, bound: "ttl" },
  { name: /^msg:/, bound: "ttl" },
  { name: /^idem/, bound: "ttl" },
];

/** True for a journal of which the compactor will say when it ends. */
async function isCold(redis: Redis, key: string): Promise<boolean> {
  const [, tag = "", lane = ""] = /^(\{p\d+\})c:(.+)$/.exec(key) ?? [];
  return (await redis.zscore(`${tag}cold`, lane)) !== null;
}

/** Keys that nobody owns once every run is over: unknown families, owned journals, and keys that should end but do not. */
export async function strayKeys(redis: Redis): Promise<string[]> {
  const stray: string[] = [];
  for (const key of await redis.keys("*")) {
    const holder = /^(\{p\d+\})w:(.+)$/.exec(key);
    if (holder?.[1] !== undefined && holder[2] !== undefined) {
      // A worker that was reaped since its key was listed has taken that along.
      if ((await redis.zscore(`${holder[1]}workers`, holder[2])) === null && (await redis.exists(key)) === 1)
        stray.push(`${key} (no such worker)`);
      continue;
    }
    const family = FAMILIES.find(({ name }) => name.test(key));
    if (family === undefined) stray.push(key);
    else if (family.bound === "fixed" || (await redis.pttl(key)) >= 0) continue;
    else if (family.bound === "ttl" || !(await isCold(redis, key))) stray.push(`${key} (no end)`);
  }
  return stray;
}
