import type { OutsideError } from "../kernel/errors.ts";

/**
 * Whose fault a failed call is. `entry`: another model may well answer the same request. `request`: every model would
 * say no, or must not be asked behind the back of one that did. `nobody`: the call never left this process.
 */
export type Blame = "entry" | "request" | "nobody";

/** Decides {@link Blame} from what the classifier read. Pure. */
export function decideBlame({ code, retry }: Pick<OutsideError, "code" | "retry">): Blame {
  switch (code) {
    case "bad-request":
    case "too-large":
    case "context-too-long":
    case "refused":
    case "budget-used-up":
      return "request";
    case "failed":
      return retry.kind === "after" ? "entry" : "nobody";
    case "rate-limited":
    case "overloaded":
    case "unavailable":
    case "timeout":
    case "quota-exhausted":
    case "unauthorized":
    case "forbidden":
    case "not-found":
    case "cut-short":
    case "empty-answer":
    case "garbled":
      return "entry";
  }
}

/**
 * What a failed call may have cost: `nothing` when the provider turned it away at the door, `estimate` when it may have
 * worked and sent its bill. Pure.
 */
export function decideCharge({ code }: Pick<OutsideError, "code">): "nothing" | "estimate" {
  switch (code) {
    case "timeout":
    case "cut-short":
    case "empty-answer":
    case "garbled":
    case "refused":
    case "failed":
      return "estimate";
    case "rate-limited":
    case "overloaded":
    case "unavailable":
    case "quota-exhausted":
    case "unauthorized":
    case "forbidden":
    case "not-found":
    case "bad-request":
    case "too-large":
    case "context-too-long":
    case "budget-used-up":
      return "nothing";
  }
}
