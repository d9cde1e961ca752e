import { z } from "zod";
import type { OutsideCode } from "../kernel/errors.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** When an entry is paused, and for how long. */
export interface BreakerSettings {
  /** Failures within the window, less the answers in between, that pause an entry. */
  readonly failures: number;
  readonly windowMs: number;
  /** The first pause; each probe that fails doubles it, up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

const DEFAULT_SETTINGS: BreakerSettings = { failures: 5, windowMs: 60_000, openMs: 15_000, maxOpenMs: 300_000 };
/** How long an entry nobody asks is remembered beyond its window or pause. */
const KEEP_MS = 600_000;

const passScript = defineScript({
  file: new URL("./scripts/breaker-pass.lua", import.meta.url),
  keys: ["state"],
  args: ["token", "probeMs", "keepMs"],
  reply: z.tuple([z.enum(["go", "probe", "wait"]), z.number(), z.string()]),
});

const reportScript = defineScript({
  file: new URL("./scripts/breaker-report.lua", import.meta.url),
  keys: ["state"],
  args: ["token", "how", "code", "waitMs", "failures", "windowMs", "openMs", "maxOpenMs", "keepMs"],
  reply: z.enum(["closed", "open"]),
});

/** A circuit breaker for each model entry, shared by all processes on this Redis and decided by its clock. */
export function createBreaker(redis: RedisConnection, settings: BreakerSettings = DEFAULT_SETTINGS) {
  const pass = async (entry: string, call: { readonly token: string; readonly probeMs: number }) => {
    const [kind, count, code] = await passScript.run(redis, { state: keyOf(entry) }, { ...call, keepMs: KEEP_MS });
    if (kind === "go") return { kind, failures: count };
    return kind === "probe" ? { kind } : { kind, ms: count, code: parseCode(code) };
  };
  return {
    pass,
    look: (entry: string) => pass(entry, { token: "", probeMs: 0 }),
    async report(
      entry: string,
      token: string,
      end: {
        readonly how: "answered" | "failed" | "dropped";
        readonly code?: OutsideCode;
        readonly waitMs?: number;
      },
    ): Promise<void> {
      const { how, code = "", waitMs = 0 } = end;
      await reportScript.run(
        redis,
        { state: keyOf(entry) },
        { ...settings, token, how, code, waitMs: Math.ceil(waitMs), keepMs: KEEP_MS },
      );
    },
  };
}

function keyOf(entry: string): string {
  return `breaker:${entry}`;
}

const CODES: readonly OutsideCode[] = [
  "rate-limited",
  "overloaded",
  "unavailable",
  "timeout",
  "quota-exhausted",
  "unauthorized",
  "forbidden",
  "not-found",
  "cut-short",
  "empty-answer",
  "garbled",
  "failed",
];

/** A code from a newer version of this program is as good as "unavailable": somebody there saw the entry fail. */
function parseCode(text: string): OutsideCode {
  return CODES.find((code) => code === text) ?? "unavailable";
}
