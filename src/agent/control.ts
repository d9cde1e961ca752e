import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import { parseCommand } from "./command-text.ts";
import { findCommand, type CommandParts } from "./commands.ts";
import { conversationOf } from "./lanes-of.ts";
import { inboundOfRun, readRun } from "./runs.ts";
import { settle } from "./settle.ts";

export interface ControlParts extends CommandParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly keepMs: number;
}

/**
 * Runs commands beside the conversation, so that they work while a run is going. Commands may be repeated after a
 * crash: each either only reads, sets a value, or records what it did in the same step.
 */
export function createControlHandler(parts: ControlParts): Handler {
  return {
    async handle(run) {
      const message = inboundOfRun(readRun(run.id, run.entries))[0];
      if (message === undefined) return reply(run, parts, "This message could not be read.");
      const typed = parseCommand(message.text);
      const command = typed === undefined ? undefined : findCommand(typed.name);
      if (typed === undefined || command === undefined)
        return reply(run, parts, `I do not know the command ${firstWord(message)}. /help lists what I know.`);
      const text = await command.run({ message, rest: typed.rest, run }, parts);
      return text === undefined ? answered(run, parts) : reply(run, parts, text);
    },
    giveUp(run, reason) {
      parts.log.error({ run: run.id, lane: run.lane, reason }, "a command was given up");
      return reply(run, parts, `This command failed and trying again did not help. (error ${run.id})`);
    },
  };
}

function firstWord(message: InboundMessage): string {
  return message.text.trim().split(/\s/, 1)[0]?.slice(0, 40) ?? "";
}

function reply(run: Run, parts: ControlParts, text: string): Ending {
  return close(run, parts, { step: "command", kind: "notice", text });
}

/** The delivery that answers the command was written by the command itself, together with what it did. */
function answered(run: Run, parts: ControlParts): Ending {
  return close(run, parts, undefined);
}

function close(
  run: Run,
  { clock, keepMs }: ControlParts,
  saying: { readonly step: string; readonly kind: "notice"; readonly text: string } | undefined,
): Ending {
  return {
    kind: "finish",
    end: "done",
    journal: "drop",
    effects: settle({
      conversation: conversationOf(run.lane),
      lane: run.lane,
      runId: run.id,
      messageIds: inboundOfRun(readRun(run.id, run.entries)).map((message) => message.id),
      fate: { end: "done", steps: 0 },
      ...(saying === undefined ? {} : { saying }),
      at: clock.now(),
      keepMs,
    }),
  };
}
