import { describeError } from "../kernel/errors.ts";
import type { ConversationId, RunId } from "../kernel/ids.ts";
import type { LiveEvent } from "../kernel/live.ts";
import { platformOf } from "../kernel/messages.ts";
import type { Log } from "../kernel/ports.ts";
import type { PlatformAdapter, Presence } from "../platforms/contract.ts";
import type { ShownStore } from "../store/shown.ts";

export interface PresenceParts {
  readonly adapters: readonly PlatformAdapter[];
  readonly shown: ShownStore;
  readonly log: Log;
}

/** Shows people that their run is going, for exactly as long as this process holds it. Hints: nothing waits for them. */
export interface PresenceShow {
  begin(conversation: ConversationId, run: RunId): void;
  /** What happens in a run of this process. */
  tell(conversation: ConversationId, event: LiveEvent): void;
  /** The run is over, waits, or is somebody else's now. */
  end(conversation: ConversationId, run: RunId): void;
  /** Resolves when everything that was begun is over. */
  close(): Promise<void>;
}

/** A run that is answered faster needs no line about what it does, milliseconds. */
const PROGRESS_AFTER_MS = 3_000;
/** How far apart changes of the line are at least, milliseconds. */
const PROGRESS_EVERY_MS = 1_500;

/** Builds the show over the adapters that have something to show. */
export function createPresence({ adapters, shown, log }: PresenceParts): PresenceShow {
  const showing = new Map<ConversationId, Showing>();
  const ending = new Set<Promise<void>>();

  return {
    begin(conversation, run) {
      const presence = adapters.find(({ name }) => name === platformOf(conversation))?.presence;
      if (presence === undefined) return;
      showing.set(conversation, showRun({ conversation, run, presence }, { shown, log }));
    },
    tell(conversation, event) {
      showing.get(conversation)?.tell(event);
    },
    end(conversation, run) {
      const one = showing.get(conversation);
      if (one?.run !== run) return;
      showing.delete(conversation);
      const over = one.end().finally(() => ending.delete(over));
      ending.add(over);
    },
    async close() {
      for (const one of showing.values()) ending.add(one.end());
      showing.clear();
      await Promise.allSettled(ending);
    },
  };
}

interface Showing {
  readonly run: RunId;
  tell(event: LiveEvent): void;
  end(): Promise<void>;
}

function showRun(
  { conversation, run, presence }: { conversation: ConversationId; run: RunId; presence: Presence },
  { shown, log }: Omit<PresenceParts, "adapters">,
): Showing {
  const over = new AbortController();
  const { signal } = over;
  const timers = new Set<NodeJS.Timeout>();
  let queue = Promise.resolve();
  let line: string | undefined;
  let lineDue = false;
  let written = "";
  let step = "";
  let previewDue = false;
  let draft: string | undefined;
  /** What failed is not shown again in this run; the rest goes on. */
  const off = new Set<string>();

  /** One after the other, so that what people see never goes backwards. */
  function show(what: string, work: () => Promise<void>): void {
    queue = queue.then(async () => {
      if (signal.aborted || off.has(what)) return;
      try {
        await work();
      } catch (error) {
        off.add(what);
        if (!signal.aborted) log.debug({ conversation, what, error: describeError(error) }, "a sign of life failed");
      }
    });
  }

  function later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  }

  function type(): void {
    show("typing", async () => presence.typing?.(conversation, signal));
    later(presence.typingEveryMs, type);
  }

  function showLine(): void {
    lineDue = false;
    const text = line;
    if (text === undefined || presence.progress === undefined) return;
    show("progress", async () => {
      const previous = await shown.progress(conversation);
      const message = await presence.progress?.(conversation, text, previous, signal);
      if (message !== undefined && message !== previous) await shown.keepProgress(conversation, message);
    });
  }

  function progress(text: string, afterMs: number): void {
    line = text;
    if (lineDue) return;
    lineDue = true;
    later(afterMs, showLine);
  }

  function preview(): void {
    previewDue = false;
    show("preview", async () => {
      const before = draft;
      draft = await presence.preview?.(conversation, { text: written, draft: before, step }, signal);
      if (draft !== undefined && draft !== before) await shown.keepDraft(conversation, run, draft);
    });
  }

  function write(event: Extract<LiveEvent, { type: "text.delta" }>): void {
    if (presence.preview === undefined) return;
    if (event.reset === true || event.step !== step) written = "";
    step = event.step;
    written += event.text;
    if (previewDue) return;
    previewDue = true;
    later(presence.previewEveryMs ?? 1_000, preview);
  }

  const begun = performance.now();
  show("preview", async () => {
    draft = await shown.find(conversation, run);
  });
  type();

  return {
    run,
    tell(event) {
      if (event.type === "text.delta") write(event);
      else if (event.type === "run.progress")
        progress(event.label, Math.max(PROGRESS_EVERY_MS, PROGRESS_AFTER_MS - (performance.now() - begun)));
    },
    async end() {
      over.abort();
      for (const timer of timers) clearTimeout(timer);
      await queue;
      try {
        const previous = await shown.progress(conversation);
        if (previous === undefined && line === undefined) return;
        await presence.clearProgress?.(conversation, previous, AbortSignal.timeout(10_000));
        if (previous !== undefined) await shown.dropProgress(conversation, previous);
      } catch (error) {
        log.debug({ conversation, error: describeError(error) }, "a progress line could not be removed");
      }
    },
  };
}
