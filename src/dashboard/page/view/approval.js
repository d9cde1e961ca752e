// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { dateAndTime, timeOfDay } from "./format-time.js";

/** @import { Approval } from "../state/conversation.js" */

/** @typedef {(id: string, decision: "approve" | "deny") => Promise<boolean>} Decide */

/**
 * A call the bot asks about: what exactly it would do, why it asks, and the two answers while it is open.
 * @param {{ approval: Approval, onDecide: Decide }} props
 */
export function ApprovalCard({ approval, onDecide }) {
  const { id, tool, arguments: args, reason, state } = approval;
  const sending = useSignal(false);

  /** @param {"approve" | "deny"} decision */
  async function decide(decision) {
    sending.value = true;
    await onDecide(id, decision);
    sending.value = false;
  }

  return html`<div class="approval" data-state=${state}>
    <p class="approval-title">May I call <strong>${tool}</strong>?</p>
    <pre class="approval-call" tabindex="0" aria-label="The exact call"><code>${args}</code></pre>
    <p class="hint">${reason}</p>
    ${
      state === "open"
        ? html`<div class="choices" role="group" aria-label="Decision">
              <button type="button" class="primary" disabled=${sending.value} onClick=${() => decide("approve")}>
                Approve
              </button>
              <button type="button" class="choice" disabled=${sending.value} onClick=${() => decide("deny")}>
                Deny
              </button>
            </div>
            <p class="hint"><${Until} at=${Date.parse(approval.expires_at)} /></p>`
        : html`<p class="approval-state" role="status">${outcomeOf(approval)}</p>`
    }
  </div>`;
}

/** @param {{ at: number }} props */
function Until({ at }) {
  return html`Without an answer by${" "}
    <time datetime=${new Date(at).toISOString()} title=${dateAndTime(at)}>${timeOfDay(at)}</time> I will not do it.`;
}

/** @param {Approval} approval */
function outcomeOf({ state, decided_by: by, decided_at: at }) {
  const when = at === null ? "" : ` at ${timeOfDay(Date.parse(at))}`;
  switch (state) {
    case "approved":
      return `Approved by ${by ?? "somebody"}${when}`;
    case "denied":
      return `Denied by ${by ?? "somebody"}${when}`;
    case "expired":
      return "Expired: nobody decided in time, so it was not done";
    default:
      return "No longer needed: what asked for it is over";
  }
}
