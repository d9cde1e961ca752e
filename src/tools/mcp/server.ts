import type { CallToolResult } from "@modelcontextprotocol/client";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import { withDeadline } from "../deadline.ts";
import { createKeeper, type ServerState } from "./keeper.ts";
import { listTools, type ListedTool, type ListingRules, type ToolList } from "./listed-tool.ts";
import { SessionFailure, type Session, type WireCall } from "./session.ts";

/** One server and its tools. Nothing is started before it is needed. */
export interface Server {
  /** What is known of its tools without waiting; undefined until they were read once. */
  known(): ToolList | undefined;
  /** Its tools; starts it when they are not known. Throws what the start threw. */
  list(): Promise<ToolList>;
  /** Makes one call, after starting the server if need be. Throws `SessionFailure` or `OutsideError`. */
  call(tool: ListedTool, call: Omit<WireCall, "tool">): Promise<CallToolResult>;
  state(): ServerState;
  /** Lets the next start happen at once: something that kept the server from working was put right. */
  forgive(): void;
  /** Ends it for good; unless `now`, when the calls under way are over. Repeatable. */
  retire(now: boolean): Promise<void>;
}

export interface ServerOptions {
  readonly rules: ListingRules;
  /** Opens one connection. `onToolsChanged` is for the server's word that they did. */
  readonly open: (signal: AbortSignal, onToolsChanged: () => void) => Promise<Session>;
  readonly connectMs: number;
  /** After how long without a call it is stopped; `undefined` is never. */
  readonly idleMs: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const LIST_MS = 15_000;
/** A list this old is read again in the background: not every server tells of changes. */
const STALE_MS = 10 * 60_000;
const ALIVE_MS = 3_000;

export function createServer({ rules, open, connectMs, idleMs, clock, log }: ServerOptions): Server {
  let listed: { readonly list: ToolList; readonly at: number } | undefined;
  let changed = false;
  let refreshing: Promise<void> | undefined;

  const read = async (session: Session, signal: AbortSignal) => {
    changed = false;
    const late = () =>
      new SessionFailure("it did not list its tools in time", { code: "timeout", outcome: "not-done", passing: true });
    const { definitions, more } = await withDeadline({ ms: LIST_MS, signal, late }, () => session.listTools(LIST_MS));
    listed = { list: listTools(definitions, more, rules), at: clock.now() };
  };
  const noticeChange = () => {
    changed = true;
    void refresh();
  };
  const keeper = createKeeper({
    open: (signal) => open(signal, noticeChange),
    prepare: read,
    // A change while the list was being read is only known by its notice.
    onReady: () => void (changed && refresh()),
    connectMs,
    idleMs,
    clock,
    log,
  });

  const refresh = (): Promise<void> =>
    (refreshing ??= readAgain()
      .finally(() => (refreshing = undefined))
      .then(() => (changed && keeper.current() !== undefined ? refresh() : undefined)));
  const readAgain = async (): Promise<void> => {
    const session = keeper.current();
    if (session === undefined) return;
    try {
      await read(session, new AbortController().signal);
      log.info({ tools: listed?.list.tools.length }, "the tools of an MCP server were read again");
    } catch (error) {
      changed = false;
      log.warn({ reason: describeError(error) }, "the tools of an MCP server could not be read again");
      await checkUp(session);
    }
  };

  /** After something took too long: a server that answers nothing at all is ended. */
  const checkUp = async (session: Session): Promise<void> => {
    if (keeper.current() === session && !(await session.isAlive(ALIVE_MS)))
      await keeper.drop(session, "it no longer answers");
  };

  /** After a sign-in ended: connecting anew finds out what is needed now. */
  const askAgain = async (session: Session): Promise<void> => {
    await keeper.drop(session);
    await keeper.connect().catch(() => undefined);
  };

  const connectToList = async (): Promise<void> => {
    const release = keeper.hold();
    await keeper.connect().finally(release);
  };

  const attempt = async (tool: ListedTool, call: Omit<WireCall, "tool">, again = false): Promise<CallToolResult> => {
    const session = await keeper.connect();
    const current = listed?.list.tools.find(({ name }) => name === tool.name);
    if (current === undefined) throw vanished(tool, rules.server);
    try {
      const result = await session.callTool({ ...call, tool: current.definition });
      keeper.succeed();
      return result;
    } catch (error) {
      if (!(error instanceof SessionFailure)) throw error;
      // A server that was started anew does not know the session and did nothing: the one call that is repeated here.
      const forgotten = error.gone && error.code === "not-found";
      if (error.code === "unauthorized") await askAgain(session);
      else if (error.gone) await keeper.drop(session, forgotten ? undefined : error.message);
      else if (error.code === "timeout") void checkUp(session);
      else if (error.outcome === "done") keeper.succeed();
      if (forgotten && !again && !call.signal.aborted) return attempt(tool, call, true);
      throw error;
    }
  };

  return {
    known: () => listed?.list,
    list: async () => {
      if (listed === undefined || keeper.state().is === "sign-in") await connectToList();
      else if (clock.now() - listed.at > STALE_MS) void refresh();
      // Every start that succeeded has read the list.
      return listed?.list ?? { tools: [], notes: [] };
    },
    call: async (tool, call) => {
      const release = keeper.hold();
      try {
        return await attempt(tool, call);
      } finally {
        release();
      }
    },
    state: () => keeper.state(),
    forgive: () => keeper.forgive(),
    retire: (now) => keeper.retire(now),
  };
}

function vanished(tool: ListedTool, server: string): OutsideError {
  return new OutsideError(`The tool "${tool.name}" is gone: the MCP server "${server}" no longer has it`, {
    code: "not-found",
  });
}
