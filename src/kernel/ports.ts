/** Time as an argument. Ownership never depends on it: leases are decided by Redis' own clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never jump, for measuring how long something took. */
  monotonic(): number;
}

/** Structured log. Implementations redact secrets, never throw and never block. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with these fields on every line. */
  with(fields: object): Log;
}

/** Makes short strings that are unique for ever and safe in keys and URLs. */
export type NewId = () => string;

/** The system's clock. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A log that says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
