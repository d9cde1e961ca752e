import type { InboundMessage } from "../kernel/messages.ts";
import type { Log } from "../kernel/ports.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import { parseCommand } from "./command-text.ts";
import { findCommand, type CommandAnswer, type CommandParts } from "./commands.ts";
import { closeRun } from "./endings.ts";
import { inboundOfRun, readRun } from "./runs.ts";
import type { Saying } from "./settle.ts";

export interface ControlParts extends CommandParts {
  readonly log: Log;
  /** How long the fate of messages is kept, milliseconds. */
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
      if (command.alone === true && typed.rest !== "")
        return reply(run, parts, `Nothing may follow /${command.name}: it ${command.help}.`);
      return reply(run, parts, await command.run({ message, rest: typed.rest, run }, parts));
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

/** No text: the command's answer was written by the command itself, together with what it did. */
function reply(run: Run, { clock, keepMs }: ControlParts, answer: CommandAnswer | undefined): Ending {
  const saying = answer === undefined ? {} : { saying: sayingOf(answer) };
  return closeRun(run, { end: "done", journal: "drop", ...saying }, { clock, limits: { keepMs } });
}

function sayingOf(answer: CommandAnswer): Saying {
  if (typeof answer === "string") return { step: "command", kind: "notice", text: answer };
  return { step: "command", kind: "question", ...answer };
}
