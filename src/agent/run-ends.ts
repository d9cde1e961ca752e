import type { WorkspaceId } from "../kernel/ids.ts";
import { outboundMessageSchema } from "../kernel/messages.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { HookRunner } from "../hooks/run-hooks.ts";
import { conversationOf } from "./lanes-of.ts";
import { contentOf } from "../store/mail.ts";

/** Tells the hooks how runs ended, once their end is stored. */
export interface RunEnds {
  /** Notes how a run is about to end. */
  note(run: Pick<Run, "id" | "lane" | "token">, person: WorkspaceId, ending: Ending): void;
  /** A worker is done with what it held under this token; `stored`: its end stands in Redis. */
  over(token: string, stored: boolean): void;
}

/** An end that turns out not to be this process' to write is told by nobody here. */
export function createRunEnds(hooks: Pick<HookRunner, "has" | "tell">): RunEnds {
  const noted = new Map<string, () => void>();
  return {
    note({ id: runId, lane, token }, workspaceId, ending) {
      if (ending.kind !== "finish") return;
      const point = ending.end === "failed" ? "onRunFailed" : "onRunComplete";
      if (!hooks.has(point)) return;
      const text = saidIn(ending);
      const news = { workspaceId, conversationId: conversationOf(lane), runId, text };
      noted.set(token, () => hooks.tell(point, news));
    },
    over(token, stored) {
      const tell = noted.get(token);
      noted.delete(token);
      if (stored) tell?.();
    },
  };
}

function saidIn({ effects }: Ending): string {
  const [said] = effects?.put ?? [];
  if (said === undefined) return "";
  return outboundMessageSchema.safeParse(contentOf(said.mail)).data?.text ?? "";
}
