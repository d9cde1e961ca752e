import { isatty } from "node:tty";
import { destination as fileDestination, pino, stdTimeFunctions } from "pino";
import type { Log } from "../kernel/ports.ts";
import { renderLogLine } from "./log-line.ts";
import { loggable, loggableText } from "./loggable.ts";
import { createScrubber } from "./scrub.ts";

/** The least important lines that are written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The root of a process' log. What `with` returns shares its level, its secrets and its destination. */
export interface Logger extends Log {
  /** From now on this value appears in no line, also where it is only part of a text. */
  addSecret(value: string): void;
  /** Takes effect with the next line. */
  setLevel(level: LogLevel): void;
}

/** Where lines go. `write` must neither throw nor block. */
export interface LogDestination {
  write(text: string): void;
}

// A reader this far behind has stopped reading; further lines are dropped rather than kept in memory.
const MAX_BUFFERED_CHARS = 16 * 1024 * 1024;

/**
 * Builds the log: JSON lines on standard output, or a short coloured form when that is a terminal. Secrets are left
 * out by key, by value and by pattern. Lines still in memory are written when the process exits by itself.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  /** Values that must appear in no line. */
  readonly secrets: readonly string[];
  readonly destination?: LogDestination;
  /** On every line. */
  readonly fields?: object;
  /** `line` and `colour` are for people; when unset the destination decides. */
  readonly form?: "json" | "line" | "colour";
}): Logger {
  const { level, secrets, destination, fields = {} } = options;
  const form = options.form ?? (destination === undefined && isatty(1) ? "colour" : "json");
  const output = destination ?? fileDestination({ dest: 1, sync: false, maxLength: MAX_BUFFERED_CHARS });
  const scrubber = createScrubber(secrets);
  const writer = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    form === "json"
      ? output
      : { write: (json) => void output.write(renderLogLine(json, { colour: form === "colour" })) },
  );

  // Fields are kept as they are until a line is written: a secret may become known in between.
  const logWith = (bound: object): Log => {
    const write = (lineLevel: "debug" | "info" | "warn" | "error", own: object, message: string): void => {
      if (!writer.isLevelEnabled(lineLevel)) return;
      try {
        writer[lineLevel](withoutReserved(loggable(joined(bound, own), scrubber)), loggableText(message, scrubber));
      } catch {
        // A log that throws would turn a note about a problem into a second one.
      }
    };
    return {
      debug: (own, message) => write("debug", own, message),
      info: (own, message) => write("info", own, message),
      warn: (own, message) => write("warn", own, message),
      error: (own, message) => write("error", own, message),
      with: (more) => logWith(joined(bound, more)),
    };
  };
  return {
    ...logWith(fields),
    addSecret: (value) => scrubber.addSecret(value),
    setLevel: (next) => {
      writer.level = next;
    },
  };
}

function joined(bound: object, own: object): object {
  return { ...bound, ...(own instanceof Error ? { error: own } : own) };
}

// A second "level" or "time" in one line would hide the first from whoever parses it.
function withoutReserved(fields: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]): [string, unknown] => [
    RESERVED.has(key) ? `${key}_` : key,
    value,
  ]);
  return Object.fromEntries(entries);
}

const RESERVED = new Set(["level", "time", "msg"]);
