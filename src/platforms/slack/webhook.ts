import { z } from "zod";
import { describeError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/json.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { Webhook } from "../listening.ts";
import type { Deliver } from "./router.ts";
import { isSigned } from "./signature.ts";

/** Slack sends far less. */
const MOST_BYTES = 1_000_000;

const bodySchema = z.record(z.string(), z.unknown());
const challengeSchema = z.object({ type: z.literal("url_verification"), challenge: z.string() });

/**
 * What Slack calls over HTTP: events as JSON, commands and presses as forms. Answers 200 once what was brought is kept,
 * and 500 when it could not be: Slack then brings it again, which is the same event and is recognised by its id.
 */
export function createWebhook({
  signingSecret,
  deliver,
  heard,
  clock,
  log,
}: {
  readonly signingSecret: string;
  readonly deliver: Deliver;
  readonly heard: () => void;
  readonly clock: Clock;
  readonly log: Log;
}): Webhook {
  return {
    path: "/slack/events",
    handle: async (request) => {
      const body = await request.text();
      if (body.length > MOST_BYTES) return refuse(413, "too large");
      const timestamp = request.headers.get("x-slack-request-timestamp");
      const signature = request.headers.get("x-slack-signature");
      if (!isSigned({ timestamp, signature, body }, signingSecret, clock.now())) {
        log.warn(
          {},
          "a request to /slack/events was refused: its signature is not Slack's; check SLACK_SIGNING_SECRET",
        );
        return refuse(401, "the signature is not right");
      }
      heard();
      const brought = readBody(body, request.headers.get("content-type") ?? "");
      if (brought === undefined) return refuse(400, "the body could not be read");
      const asked = challengeSchema.safeParse(brought).data;
      if (asked !== undefined) return Response.json({ challenge: asked.challenge });
      if (brought["ssl_check"] !== undefined) return new Response(null, { status: 200 });
      try {
        const answer = await deliver(brought);
        return answer === undefined ? new Response(null, { status: 200 }) : Response.json(answer);
      } catch (error) {
        log.warn({ why: describeError(error) }, "what Slack brought could not be kept; it will bring it again");
        return refuse(500, "not kept; bring it again");
      }
    },
  };
}

function readBody(body: string, type: string): Readonly<Record<string, unknown>> | undefined {
  if (!type.startsWith("application/x-www-form-urlencoded")) return bodySchema.safeParse(parseJson(body)).data;
  const form = Object.fromEntries(new URLSearchParams(body));
  const payload = form["payload"];
  return payload === undefined ? form : bodySchema.safeParse(parseJson(payload)).data;
}

function refuse(status: number, why: string): Response {
  return new Response(why, { status });
}
