import type { ListenContext } from "../listening.ts";

/** Keeps the one thing that is said about the listener up to date: the connection, and whether events can be kept. */
export interface Reporter {
  connected(): void;
  disconnected(trouble: string): void;
  /** Why events cannot be kept; undefined when they can. */
  keeping(trouble: string | undefined): void;
}

/** Creates a reporter; it says nothing before something happens. */
export function createReporter({ report, signal }: Pick<ListenContext, "report" | "signal">): Reporter {
  let connected = false;
  let connection: string | undefined;
  let keeping: string | undefined;

  function say(): void {
    if (signal.aborted) return;
    const trouble = connection ?? keeping;
    report({ connected, ...(trouble === undefined ? {} : { trouble }) });
  }

  return {
    connected() {
      connected = true;
      connection = undefined;
      say();
    },
    disconnected(trouble) {
      connected = false;
      connection = trouble;
      say();
    },
    keeping(trouble) {
      keeping = trouble === undefined ? undefined : `What people write cannot be kept yet: ${trouble}`;
      say();
    },
  };
}
