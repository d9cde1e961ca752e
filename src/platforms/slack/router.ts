import { App } from "@slack/bolt";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { type Answer, type Handlers } from "./handlers.ts";
import { libraryLog } from "./library-log.ts";

/**
 * Brings what Slack sent to its handler. Resolves, with what Slack is to be answered, once it may be acknowledged;
 * rejects when it could not be kept: then it must not be, so that Slack brings it again.
 */
export type Deliver = (body: Readonly<Record<string, unknown>>) => Promise<Answer>;

/**
 * Creates the way from what Slack sent to the handlers, with Bolt. Bolt calls `ack` of an event before anything is done
 * with it: ours does nothing then, and the acknowledgement waits for all listeners.
 */
export function createRouter(handlers: Handlers, log: Log): Deliver {
  const app = new App({
    receiver: { init() {}, start: () => Promise.resolve(), stop: () => Promise.resolve() },
    // Nothing is called with Bolt's own client, so nobody has to be authorized for it.
    authorize: () => Promise.resolve({}),
    ignoreSelf: false,
    convoStore: false,
    logger: libraryLog(log),
  });
  app.event("message", ({ event }) => handlers.event(event));
  app.event("app_mention", ({ event }) => handlers.event(event));
  app.event("assistant_thread_started", ({ event }) => handlers.event(event));
  app.command(/.*/, ({ body, ack }) => handlers.command(body, answering(ack)));
  app.action(/^parley_/, ({ body, ack }) => handlers.action(body, answering(ack)));
  app.view(/^parley_/, ({ body, ack }) => handlers.submission(body, answering(ack)));
  // Bolt wraps what it does not know; what a listener threw is what decides that Slack brings the event again.
  app.error((error) => {
    throw error.original ?? error;
  });

  return (body) => {
    const answered = Promise.withResolvers<Answer>();
    const isEvent = "event" in body;
    const ack = (answer?: Answer): Promise<void> => {
      if (!isEvent) answered.resolve(answer);
      return Promise.resolve();
    };
    app.processEvent({ body, ack }).then(
      () => {
        answered.resolve(undefined);
      },
      (error: unknown) => {
        log.warn({ why: describeError(error) }, "something that Slack brought could not be taken");
        answered.reject(error instanceof Error ? error : new Error(describeError(error)));
      },
    );
    return answered.promise;
  };
}

/** Bolt types what may be answered by what was sent; ours is made to fit by the handler. */
function answering(ack: (answer?: never) => Promise<void>): (answer: Answer) => Promise<void> {
  return (answer) => ack(answer as never);
}
