import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Delivery } from "./chat-event.ts";
import {
  afterEvent,
  afterLook,
  afterQuestion,
  afterReply,
  afterSend,
  afterSettled,
  INITIAL,
  isLate,
  isQuiet,
  type ChatState,
  type Pending,
} from "./chat-state.ts";
import type { ConversationApi } from "./conversation-api.ts";
import type { SentFile } from "./files.ts";
import type { ChatView } from "./view.ts";

/** How many messages sent from here ended other than with an answer. */
export interface Shortfall {
  /** Answered with an error. */
  readonly failed: number;
  /** Never taken by the bot. */
  readonly refused: number;
  /** Their answer may have been missed. */
  readonly unsure: number;
}

/** A conversation that is followed and spoken in, over any number of lost connections. */
export interface Session {
  /**
   * Follows the conversation until the signal aborts, then resolves. Throws `OutsideError` when the bot refuses to be
   * followed, or was out of reach for longer than `patienceMs`.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Sends a message, after those sent before; resolves when the bot has it or refused it, or the session is over. */
  send(text: string, files?: readonly SentFile[]): Promise<void>;
  /** Resolves when everything sent is answered, or waits for the answer to a question; also when the session is over. */
  quiet(): Promise<void>;
  state(): ChatState;
  shortfall(): Shortfall;
}

/**
 * Builds a session. Ids of messages are made here and kept over retries, so that a message counts once whatever was
 * lost on the way; deliveries are told apart by their ids, so that each is shown once.
 */
export function createSession(parts: {
  readonly api: ConversationApi;
  /** Where the bot is, for links to its files. */
  readonly url: string;
  readonly view: ChatView;
  readonly newId: () => string;
  /** Waits; resolves early when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly now: () => number;
  /** How long the bot may be out of reach. */
  readonly patienceMs: number;
}): Session {
  const { api, url, view, newId, pause, now, patienceMs } = parts;
  const over = new AbortController();
  const ready = Promise.withResolvers<void>();
  let state: ChatState = INITIAL;
  let waiting: (() => void)[] = [];
  let sending: Promise<unknown> = ready.promise;
  const own = new Set<string>();
  const seen = new Set<string>();
  let lastAnswer: string | undefined;
  let known = false;
  const counts = { failed: 0, refused: 0, unsure: 0 };

  function update(next: ChatState): void {
    if (next === state) return;
    state = next;
    view.changed(state);
    if (!isQuiet(state)) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  function settle(id: string, how: "answered" | keyof Shortfall): void {
    if (!state.pending.some((message) => message.id === id)) return;
    if (how !== "answered") counts[how] += 1;
    update(afterSettled(state, id));
  }

  function isNew({ id, kind }: Pick<Delivery, "id" | "kind">): boolean {
    if (seen.has(id)) return false;
    seen.add(id);
    // What commands say is not in the conversation's transcript, so the stream cannot go on from there.
    if (kind !== "notice") lastAnswer = id;
    return true;
  }

  /** Shows a delivery; returns which of our pending messages it answers. */
  function show(delivery: Delivery): readonly Pending[] {
    if (!isNew(delivery)) return [];
    const isOwn = delivery.answers.some((id) => own.has(id)) || (asks(delivery.kind) && state.pending.length > 0);
    view.said(withAddresses(delivery), isOwn);
    if (asks(delivery.kind)) return [];
    return state.pending.filter((message) => delivery.answers.includes(message.id));
  }

  /** The bot names its files without saying where it is itself. */
  function withAddresses<Of extends Pick<Delivery, "files">>(said: Of): Of {
    if (said.files === undefined) return said;
    const files = said.files.map((file) => (file.url === undefined ? file : { ...file, url: `${url}${file.url}` }));
    return { ...said, files };
  }

  /** Asks the bot what became of a message. */
  async function check(id: string): Promise<void> {
    if (!state.pending.some((each) => each.id === id)) return;
    const found = await api.message(id, over.signal);
    // Its answer may have come meanwhile.
    const message = state.pending.find((each) => each.id === id);
    if (message === undefined) return;
    if (found === undefined) {
      // What became of a command is not kept.
      view.trouble(`The answer to "${shorten(message.text)}" may have been missed; send it again if you need it.`);
      return settle(id, "unsure");
    }
    const kind = found.status === "failed" ? "error" : "answer";
    for (const { delivery_id, text, files } of found.answers)
      show({ id: delivery_id, kind, text, files, answers: [id] });
    if (found.status === "failed") {
      if (found.answers.length === 0 && found.error !== null) view.trouble(found.error.message);
      settle(id, "failed");
    } else if (found.status === "answered" || found.status === "withdrawn") settle(id, "answered");
    else if (found.status === "waiting" && state.question !== undefined)
      update(afterQuestion(state, state.question.choices));
  }

  /** Makes good what was missed while nobody followed. */
  async function catchUp(resumed: boolean): Promise<void> {
    if (!resumed) await readTranscript();
    // What is still on its way is checked when the bot turns out to have it already.
    for (const { id } of state.pending.filter((message) => message.state !== "sending")) await check(id);
    // What is sent meanwhile must not be lost: the state is read after the answer, not before.
    const found = await api.look(over.signal);
    update({ ...afterLook(state, found), link: "open" });
    ready.resolve();
  }

  async function readTranscript(): Promise<void> {
    const messages = await api.transcript(over.signal);
    const said = messages
      .filter((message) => message.role === "assistant")
      .map(({ id, kind = "answer", text, choices = [], files, approval, run_id: run }) => {
        const asked = messages.filter((each) => each.role === "user" && each.run_id === run);
        return { id, kind, text, choices, files, approval, answers: asked.map((each) => each.id) };
      });
    if (known) for (const delivery of said) show(delivery);
    else {
      for (const { id } of said) isNew({ id, kind: "answer" });
      view.earlier(messages.map(withAddresses));
    }
    known = true;
    const last = said.at(-1);
    if (last?.kind === "question") state = { ...state, question: { choices: last.choices } };
    const open = said.flatMap(({ approval }) => (approval?.state === "open" ? [approval.id] : []));
    state = { ...state, approvals: open };
  }

  /** Follows until the stream ends. */
  async function follow(onOpen: () => void): Promise<void> {
    const resumedFrom = lastAnswer;
    for await (const event of api.follow(resumedFrom, over.signal)) {
      if (event.type === "open") {
        await catchUp(resumedFrom !== undefined);
        onOpen();
        continue;
      }
      if (isLate(state, event)) continue;
      if (event.type === "text.delta") view.writing(event);
      if (event.type === "message.received" && !own.has(event.message_id)) view.heard(event.text);
      if (event.type === "delivery")
        for (const { id } of show(event.delivery)) settle(id, event.delivery.kind === "error" ? "failed" : "answered");
      if (resumedFrom !== undefined && event.type === "delivery" && asks(event.delivery.kind)) {
        // What a stream repeats may have been answered since.
        const seen = await api.look(over.signal);
        update(afterLook(seen?.state === "waiting" ? afterEvent(state, event) : state, seen));
      } else update(afterEvent(state, event));
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    const end = () => {
      over.abort();
      ready.resolve();
      for (const resolve of waiting) resolve();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      await keepFollowing();
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  async function keepFollowing(): Promise<void> {
    let lastSeen = now();
    for (let failures = 0; !over.signal.aborted; failures += 1) {
      let failure: unknown;
      try {
        await follow(() => {
          failures = 0;
        });
        lastSeen = now();
      } catch (error) {
        if (over.signal.aborted) return;
        if (state.link === "open") lastSeen = now();
        if (!canPass(error) || now() - lastSeen > patienceMs) throw error;
        failure = error;
      }
      update({ ...state, link: "lost" });
      await pause(pauseMs(failures, failure), over.signal);
    }
  }

  function send(text: string, files: readonly SentFile[] = []): Promise<void> {
    const id = newId();
    const { question } = state;
    own.add(id);
    update(afterSend(state, id, text));
    const sent = sending.then(() => trySend(id, text, files, question));
    sending = sent;
    return sent;
  }

  /** Tries until the bot has the message or refused it; then the question it would have answered is open again. Never throws. */
  async function trySend(
    id: string,
    text: string,
    files: readonly SentFile[],
    question?: ChatState["question"],
  ): Promise<void> {
    for (let failures = 0; !over.signal.aborted; failures += 1) {
      try {
        const reply = await api.send(id, text, over.signal, files);
        update(afterReply(state, id, reply));
        // An earlier try had arrived: it may have been answered while nobody followed.
        if (reply.status === "duplicate") await check(id);
        return;
      } catch (error) {
        if (over.signal.aborted) return;
        if (!canPass(error)) {
          view.trouble(`Not sent: ${describeError(error)}`);
          settle(id, "refused");
          if (state.question === undefined && question !== undefined) update(afterQuestion(state, question.choices));
          return;
        }
        await pause(pauseMs(failures, error), over.signal);
      }
    }
  }

  return {
    run,
    send,
    quiet: () =>
      isQuiet(state) || over.signal.aborted ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
    state: () => state,
    shortfall: () => ({ ...counts }),
  };
}

/** Whether the bot waits for somebody after saying it. */
function asks(kind: Delivery["kind"]): boolean {
  return kind === "question" || kind === "approval";
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

/** Whether the same request may succeed later. */
function canPass(error: unknown): boolean {
  return error instanceof OutsideError && error.retry.kind === "after";
}

const PAUSES_MS = [200, 500, 1_000, 2_000];

function pauseMs(failures: number, error: unknown): number {
  const asked = error instanceof OutsideError && error.retry.kind === "after" ? (error.retry.ms ?? 0) : 0;
  return Math.min(Math.max(asked, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0), 30_000);
}
