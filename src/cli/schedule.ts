import { userInfo } from "node:os";
import { pageSchema } from "../api/contract.ts";
import {
  confirmedScheduleSchema,
  rehearsalSchema,
  schedulePreviewSchema,
  scheduleSchema,
  slotSchema,
} from "../api/schedule-contract.ts";
import { CommandFailed } from "./command-failed.ts";
import { printJson, printLine, type Io } from "./io.ts";
import { connectToBot } from "./settings.ts";
import { renderTable } from "./table.ts";

/** What is said on the command line about schedules. */
export interface ScheduleOptions {
  readonly user?: string;
  readonly tz?: string;
  readonly conversation?: string;
  readonly catchUp?: string;
  readonly when?: string;
  readonly what?: string;
  readonly url?: string;
  readonly json?: true;
}

/** `parley schedule add`: makes a schedule and prints its confirmation. Returns the exit code. */
export async function addSchedule(when: string, what: string, options: ScheduleOptions, io: Io): Promise<number> {
  const { tz, conversation, catchUp } = options;
  const body = {
    user_id: userOf(options),
    when,
    description: what,
    ...(tz === undefined ? {} : { tz }),
    ...(conversation === undefined ? {} : { conversation_id: conversation }),
    ...(catchUp === undefined ? {} : { catch_up: catchUp }),
  };
  const bot = await connectToBot(io, options.url);
  const added = await bot.ask({ method: "POST", path: "/v1/schedules", body }, confirmedScheduleSchema);
  printLine(io.output, added.confirmation);
  return 0;
}

/** `parley schedule preview`: prints what a phrase means. Returns the exit code. */
export async function previewSchedule(when: string, options: ScheduleOptions, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const body = { when, tz: options.tz ?? "UTC" };
  const preview = await bot.ask({ method: "POST", path: "/v1/schedules/preview", body }, schedulePreviewSchema);
  printLine(io.output, `${preview.words} (${preview.tz}; ${preview.kind}: ${preview.rule})`);
  for (const line of preview.local) printLine(io.output, `- ${line}`);
  return 0;
}

/** `parley schedule list`: prints a person's schedules. Returns the exit code. */
export async function listSchedules(options: ScheduleOptions, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const path = `/v1/schedules?user_id=${encodeURIComponent(userOf(options))}`;
  const { data } = await bot.ask({ path }, pageSchema(scheduleSchema));
  if (options.json === true) {
    printJson(io.output, data);
    return 0;
  }
  if (data.length === 0) {
    printLine(io.errors, "No schedules are stored for this person.");
    return 0;
  }
  const rows = data.map((each) => [
    each.id,
    each.status,
    each.next[0] ?? "-",
    each.words.replaceAll(/\s/g, " "),
    each.tz,
    each.description.replaceAll(/\s/g, " ").slice(0, 60),
  ]);
  printLine(io.output, renderTable([["ID", "STATUS", "NEXT", "WHEN", "ZONE", "WHAT"], ...rows]));
  return 0;
}

/** `parley schedule show|history|run|pause|resume|delete`. Returns the exit code. */
export async function doWithSchedule(
  action: "show" | "history" | "run" | "pause" | "resume" | "delete",
  id: string,
  options: ScheduleOptions,
  io: Io,
): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const path = `/v1/schedules/${encodeURIComponent(id)}`;
  switch (action) {
    case "show":
      printJson(io.output, await bot.ask({ path }, scheduleSchema));
      break;
    case "history": {
      const { data } = await bot.ask({ path: `${path}/history` }, pageSchema(slotSchema));
      if (options.json === true) printJson(io.output, data);
      else
        for (const slot of data)
          printLine(
            io.output,
            `${slot.slot} ${slot.did}, ${slot.late_s} s late${slot.why === null ? "" : `: ${slot.why}`}${slot.run === null ? "" : `, ${slot.run.status}`}`,
          );
      break;
    }
    case "run": {
      const ran = await bot.ask({ method: "POST", path: `${path}/run`, body: {} }, rehearsalSchema);
      printLine(io.output, `Rehearsing ${id} in ${ran.conversation_id} as message ${ran.message_id}.`);
      break;
    }
    case "pause":
    case "resume": {
      const body = { paused: action === "pause" };
      printLine(io.output, (await bot.ask({ method: "PATCH", path, body }, confirmedScheduleSchema)).confirmation);
      break;
    }
    case "delete":
      await bot.tell({ method: "DELETE", path });
      printLine(io.output, `The schedule ${id} is deleted.`);
      break;
  }
  return 0;
}

/** `parley schedule edit`: changes what is given. Returns the exit code. */
export async function editSchedule(id: string, options: ScheduleOptions, io: Io): Promise<number> {
  const { when, what, tz } = options;
  if (when === undefined && what === undefined && tz === undefined)
    throw new CommandFailed(2, "say what is to change: --when, --what or --tz");
  const body = {
    ...(when === undefined ? {} : { when }),
    ...(what === undefined ? {} : { description: what }),
    ...(tz === undefined ? {} : { tz }),
  };
  const bot = await connectToBot(io, options.url);
  const path = `/v1/schedules/${encodeURIComponent(id)}`;
  printLine(io.output, (await bot.ask({ method: "PATCH", path, body }, confirmedScheduleSchema)).confirmation);
  return 0;
}

function userOf({ user }: ScheduleOptions): string {
  return user ?? userInfo().username;
}
