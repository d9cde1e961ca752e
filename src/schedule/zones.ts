import { Temporal } from "temporal-polyfill";

/** The usual name of an IANA zone; undefined when there is none of that name. Offsets such as +02:00 are no zones. */
export function findZone(text: string): string | undefined {
  if (!/^[A-Za-z][\w+\-/]*$/.test(text)) return undefined;
  // Abbreviations name several zones, or one without its clock changes.
  if (/^(?:EST|MST|HST|[A-Z]{2,4}\d?[A-Z]{3}|CET|MET|WET|EET)$/i.test(text)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: text }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The zone a person may have meant by a city or a misspelled name; undefined when nothing fits. */
export function guessZone(text: string): string | undefined {
  const city = text.toLowerCase().trim().replaceAll(/\s+/g, "_");
  return Intl.supportedValuesOf("timeZone").find((name) => name.toLowerCase().split("/").includes(city));
}

/**
 * The instant at which a wall clock shows this time. A time that the clock skips is the first instant after the gap, a
 * time that it shows twice is the first pass.
 */
export function instantOf(local: Temporal.PlainDateTime, zone: string): number {
  const earlier = local.toZonedDateTime(zone, { disambiguation: "earlier" });
  if (earlier.toPlainDateTime().equals(local)) return earlier.epochMilliseconds;
  // `earlier` lies before the gap; the change itself is the next one after it.
  return (earlier.getTimeZoneTransition("next") ?? earlier).epochMilliseconds;
}

/** What a wall clock in this zone shows at an instant. */
export function localTime(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}
