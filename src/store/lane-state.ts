import type { RunId } from "../kernel/ids.ts";

/** What a lane is doing. `ready` and `resume` are in line for a worker; a `parked` run holds no process. */
export type LaneState =
  | { readonly kind: "idle" }
  | { readonly kind: "ready" }
  | { readonly kind: "resume"; readonly runId: RunId; readonly attempt: number }
  | {
      readonly kind: "parked";
      readonly runId: RunId;
      readonly attempt: number;
      readonly mail: boolean;
      readonly key: string;
    }
  | { readonly kind: "run"; readonly runId: RunId; readonly attempt: number; readonly token: string };

/** Reads the state of a lane as the scripts write it: `state|run|attempt|mark|rest`. */
export function parseLaneState(text: string | undefined): LaneState {
  if (text === undefined) return { kind: "idle" };
  if (text === "ready") return { kind: "ready" };
  const match = /^(resume|parked|run)\|([^|]*)\|(\d+)\|\d+\|(.*)$/s.exec(text);
  const [, kind, run, attemptText, rest = ""] = match ?? [];
  if (run === undefined) throw new Error(`A lane has the unreadable state "${text}"`);
  const runId = run as RunId;
  const attempt = Number(attemptText);
  if (kind === "resume") return { kind, runId, attempt };
  if (kind === "run") return { kind, runId, attempt, token: rest };
  return { kind: "parked", runId, attempt, mail: rest.startsWith("1"), key: rest.slice(2) };
}

/** The worker part of a token `worker.number`. */
export function workerOf(token: string): string {
  return token.slice(0, token.indexOf("."));
}
