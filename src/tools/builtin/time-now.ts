import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

/** Finds a person's own time zone; `undefined` when they have none. */
export type ZoneOf = (workspaceId: WorkspaceId) => Promise<string | undefined>;

/** `time_now`: the date and time in a zone, by default the person's own, else UTC. */
export function timeNowTool(zoneOf: ZoneOf): Tool {
  return defineTool({
    name: "time_now",
    description: "Tells the current date, time and weekday, in the person's time zone or in the one given.",
    effect: "read",
    trusted: true,
    timeoutMs: 10_000,
    input: z.object({ tz: z.string().min(1).optional().describe("IANA time zone, for example Europe/Madrid") }),
    run: async ({ tz }, { clock, workspaceId }) =>
      describeInstant(clock.now(), parseZone(tz ?? (await zoneOf(workspaceId)) ?? "UTC")),
  });
}

function parseZone(text: string): string {
  // Intl also takes offsets such as +02:00; those know no clock changes and are no IANA names.
  const zone = /^[A-Za-z]/.test(text) ? findZone(text) : undefined;
  if (zone !== undefined) return zone;
  const city = text.toLowerCase().trim().replaceAll(" ", "_");
  const meant = Intl.supportedValuesOf("timeZone").find((name) => name.toLowerCase().endsWith(`/${city}`));
  const hint = meant === undefined ? "use an IANA name such as Europe/Madrid or UTC" : `did you mean ${meant}?`;
  throw new InvalidInput(`Time zone ${JSON.stringify(text.slice(0, 64))} is not known; ${hint}`, {
    code: "unknown_zone",
  });
}

function findZone(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: text }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function describeInstant(now: number, zone: string) {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  return {
    iso: isoWithOffset(now, zone),
    local: format({ dateStyle: "full", timeStyle: "medium" }).format(now),
    zone,
    weekday: format({ weekday: "long" }).format(now),
  };
}

function isoWithOffset(now: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  }).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? "";
  // "GMT+05:30", and plain "GMT" for no offset.
  const offset = part("timeZoneName").slice("GMT".length) || "+00:00";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}:${part("second")}${offset}`;
}
