import { afterEach, beforeEach, expect, test, vi } from "vitest";

const { createOutbox } = await import(new URL("./outbox.js", import.meta.url).href);
const { Failure } = await import(new URL("../state/failures.js", import.meta.url).href);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Reply = { readonly status: number; readonly code?: string };

/** An outbox whose server replies to one try after the other with what the test has laid out, then takes everything. */
function openOutbox(replies: Reply[], stored: readonly object[] = []) {
  const tried: string[] = [];
  const accepted: string[] = [];
  let kept: readonly { readonly id: string; readonly state: string }[] = stored as typeof kept;
  const outbox = createOutbox({
    api: {
      async send(message: { readonly message_id: string }) {
        tried.push(message.message_id);
        const { status, code = "x" } = replies.shift() ?? { status: 202 };
        if (status !== 202) throw new Failure(`refused: ${code}`, { status, code });
        return { id: message.message_id, conversation_id: "c", status: "started", position: 0 };
      },
    },
    storage: { read: () => kept, write: (next: typeof kept) => (kept = next) },
    onAccepted: (message: { readonly id: string }) => accepted.push(message.id),
  });
  return { outbox, tried, accepted, kept: () => kept.map(({ id, state }) => `${id} ${state}`) };
}

const message = (id: string) => ({ id, conversation: "c", user: "u", text: id, at: 0 });

test("messages are kept before they are sent, sent in order, and forgotten when the server has them", async () => {
  const { outbox, tried, accepted, kept } = openOutbox([]);
  outbox.send(message("m1"));
  outbox.send(message("m2"));
  expect(kept()).toEqual(["m1 sending", "m2 sending"]);
  await vi.runAllTimersAsync();
  expect(tried).toEqual(["m1", "m2"]);
  expect(accepted).toEqual(["m1", "m2"]);
  expect(kept()).toEqual([]);
});

test("a message is tried again under the same id until the server has it, and none overtakes it", async () => {
  const { outbox, tried, accepted, kept } = openOutbox([{ status: 0 }, { status: 503 }, { status: 429 }]);
  outbox.send(message("m1"));
  outbox.send(message("m2"));
  await vi.advanceTimersByTimeAsync(0);
  expect(kept()).toEqual(["m1 retrying", "m2 sending"]);
  await vi.runAllTimersAsync();
  expect(tried).toEqual(["m1", "m1", "m1", "m1", "m2"]);
  expect(accepted).toEqual(["m1", "m2"]);
});

test("a wait is cut short when the server is known to be back", async () => {
  const { outbox, accepted } = openOutbox([{ status: 0 }]);
  outbox.send(message("m1"));
  await vi.advanceTimersByTimeAsync(0);
  outbox.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect(accepted).toEqual(["m1"]);
});

test("a message that is refused for good says why, holds up no other, and can be sent again", async () => {
  const { outbox, accepted, kept } = openOutbox([{ status: 400, code: "invalid_request" }]);
  outbox.send(message("m1"));
  outbox.send(message("m2"));
  await vi.runAllTimersAsync();
  expect(kept()).toEqual(["m1 refused"]);
  expect(outbox.unsent.value[0].reason).toBe("refused: invalid_request");
  outbox.again("m1");
  await vi.runAllTimersAsync();
  expect(accepted).toEqual(["m2", "m1"]);
  expect(kept()).toEqual([]);
});

test("without a key nothing is tried until there is one", async () => {
  const { outbox, tried, accepted } = openOutbox([{ status: 401 }]);
  outbox.send(message("m1"));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(tried).toEqual(["m1"]);
  outbox.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect(accepted).toEqual(["m1"]);
});

test("what an earlier page did not get rid of is sent when the page begins", async () => {
  const { outbox, accepted } = openOutbox([], [{ ...message("m1"), state: "sending", reason: "" }]);
  outbox.retry();
  await vi.runAllTimersAsync();
  expect(accepted).toEqual(["m1"]);
});

test("a discarded message is not tried again", async () => {
  const { outbox, tried, kept } = openOutbox([{ status: 0 }]);
  outbox.send(message("m1"));
  await vi.advanceTimersByTimeAsync(0);
  outbox.discard("m1");
  await vi.runAllTimersAsync();
  expect(tried).toEqual(["m1"]);
  expect(kept()).toEqual([]);
});
