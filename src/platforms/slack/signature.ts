import { verifySlackRequest } from "@slack/bolt";

/** Slack's rule: a request this old may be a recording. */
const WINDOW_S = 300;

/** Whether a request was signed with our secret just now. Compares in constant time. */
export function isSigned(
  {
    timestamp,
    signature,
    body,
  }: { readonly timestamp: string | null; readonly signature: string | null; readonly body: string },
  signingSecret: string,
  now: number,
): boolean {
  if (timestamp === null || signature === null || !/^\d{1,12}$/.test(timestamp)) return false;
  const seconds = Number(timestamp);
  if (Math.abs(now / 1_000 - seconds) > WINDOW_S) return false;
  try {
    verifySlackRequest({
      signingSecret,
      body,
      headers: { "x-slack-request-timestamp": seconds, "x-slack-signature": signature },
      nowMilliseconds: now,
    });
    return true;
  } catch {
    return false;
  }
}
