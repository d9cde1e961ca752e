import { App } from "@slack/bolt";
import { expect, test } from "vitest";
import { silentLog } from "../../kernel/ports.ts";
import type { Handlers } from "./handlers.ts";
import { createRouter } from "./router.ts";

const EVENT = {
  type: "event_callback",
  team_id: "T1",
  event: { type: "message", channel: "C1", ts: "1.1", text: "hi" },
};
const PRESS = { type: "block_actions", actions: [{ action_id: "parley_press_0", type: "button" }], user: { id: "U1" } };
const COMMAND = { command: "/parley", text: "stop", channel_id: "C1", user_id: "U1" };
const SUBMISSION = {
  team: { id: "T1" },
  user: { id: "U1", team_id: "T1" },
  type: "view_submission",
  view: { callback_id: "parley_approval", type: "modal" },
};

function handlers(more: Partial<Handlers> = {}): { readonly handlers: Handlers; readonly called: string[] } {
  const called: string[] = [];
  const note = (what: string) => () => {
    called.push(what);
    return Promise.resolve();
  };
  const all = {
    event: note("event"),
    command: note("command"),
    action: note("action"),
    submission: note("submission"),
  };
  return { handlers: { ...all, said: note("said"), ...more }, called };
}

test("Bolt by itself acknowledges an event before its listeners have done anything", async () => {
  const order: string[] = [];
  const app = new App({
    receiver: { init() {}, start: () => Promise.resolve(), stop: () => Promise.resolve() },
    authorize: () => Promise.resolve({}),
  });
  app.event("message", async () => {
    await Promise.resolve();
    order.push("kept");
  });
  const ack = () => {
    order.push("acknowledged");
    return Promise.resolve();
  };

  await app.processEvent({ body: EVENT, ack });

  // The reason why the router does not hand on its acknowledgement: should this change, it could.
  expect(order).toEqual(["acknowledged", "kept"]);
});

test("an event may be acknowledged only when its handler is done", async () => {
  const kept = Promise.withResolvers<undefined>();
  const order: string[] = [];
  const { handlers: some } = handlers({
    event: async () => {
      await kept.promise;
      order.push("kept");
    },
  });

  const delivered = createRouter(some, silentLog)(EVENT).then(() => order.push("acknowledged"));
  kept.resolve(undefined);
  await delivered;

  expect(order).toEqual(["kept", "acknowledged"]);
});

test.each([
  ["an event", EVENT, "event"],
  ["a press", PRESS, "action"],
  ["a slash command", COMMAND, "command"],
  ["a dialog", SUBMISSION, "submission"],
] as const)(
  "%s that could not be kept is not acknowledged: the handler's own error comes out",
  async (_, body, name) => {
    const { handlers: some } = handlers({ [name]: () => Promise.reject(new TypeError("the store is away")) });

    await expect(createRouter(some, silentLog)(body)).rejects.toThrow("the store is away");
  },
);

test("a person who waits is answered before the rest is done", async () => {
  const rest = Promise.withResolvers<undefined>();
  const { handlers: some } = handlers({
    command: async (_, answer) => {
      await answer({ text: "Taken" });
      await rest.promise;
    },
  });

  expect(await createRouter(some, silentLog)(COMMAND)).toEqual({ text: "Taken" });
  rest.resolve(undefined);
});

test.each([
  ["of a kind that is not subscribed to", { type: "event_callback", event: { type: "tea_time" } }],
  ["of another app's button", { ...PRESS, actions: [{ action_id: "other", type: "button" }] }],
  ["of nothing known", { type: "something_new" }],
])("what comes in %s is acknowledged and left", async (_, body) => {
  const { handlers: some, called } = handlers();

  expect(await createRouter(some, silentLog)(body)).toBeUndefined();
  expect(called).toEqual([]);
});
