import { Events } from "discord.js";
import { setTimeout as delay } from "node:timers/promises";
import type { ListenContext } from "../listening.ts";
import { closedForGood, couldNotConnect } from "./close-codes.ts";
import { createEvents, type ListenParts } from "./events.ts";
import { createGatewayClient } from "./gateway-client.ts";
import { createReporter } from "./reporter.ts";
import { loadReadMarks } from "./read-marks.ts";

// Discord is told good-bye, but nobody waits long for its answer.
const GOODBYE_MS = 1000;

/** Creates the listening side: one connection to Discord's gateway, kept up by the library, read by us. */
export function createListener(parts: ListenParts): (context: ListenContext) => Promise<void> {
  return (context) => listen(context, parts);
}

async function listen(context: ListenContext, parts: ListenParts): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  if (signal.aborted) return;
  const marks = await loadReadMarks(parts);
  const { promise: over, resolve: stop, reject: fail } = Promise.withResolvers<void>();
  const report = createReporter({ report: (said) => context.report(said), signal });
  const events = createEvents({
    ...parts,
    context: { gateway: context.gateway, heard: () => context.heard(), signal },
    marks,
    report,
    fail,
  });
  const client = createGatewayClient({ account: parts.account, log: parts.log, onEvent: events.take, signal });
  client.on(Events.ShardReady, () => events.allGuildsCame());
  client.on(Events.ShardReconnecting, () =>
    report.disconnected("The connection to Discord was lost; it is being made again"),
  );
  client.on(Events.ShardDisconnect, ({ code }) => fail(closedForGood(code)));
  client.on(Events.ShardError, (error) => report.disconnected(`The connection to Discord fails: ${error.message}`));
  client.on(Events.Error, (error) => parts.log.warn({ error: error.message }, "the Discord library reports an error"));
  const onAbort = () => stop();
  signal.addEventListener("abort", onAbort, { once: true });

  client.login(parts.account.token).catch((error: unknown) => fail(couldNotConnect(error)));
  try {
    await over;
  } finally {
    signal.removeEventListener("abort", onAbort);
    ending.abort();
    await Promise.race([client.destroy().catch(() => undefined), delay(GOODBYE_MS, undefined, { ref: false })]);
    await events.settled();
  }
}
