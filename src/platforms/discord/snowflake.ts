const EPOCH = 1_420_070_400_000n;

/** The lowest id that Discord could give at a time, milliseconds since 1970: everything later has a higher one. */
export function snowflakeAt(ms: number): string {
  const since = BigInt(Math.floor(ms)) - EPOCH;
  return String(since <= 0n ? 0n : since << 22n);
}

/** When Discord gave an id, milliseconds since 1970. */
export function timeOfSnowflake(id: string): number {
  return Number((BigInt(id) >> 22n) + EPOCH);
}

/** Whether the text can be one of Discord's ids. */
export function isSnowflake(text: string): boolean {
  return /^\d{1,20}$/.test(text);
}

/** The order in which Discord gave two ids: negative when `a` was first. */
export function compareSnowflakes(a: string, b: string): number {
  const [first, second] = [BigInt(a), BigInt(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** The later of two ids. */
export function laterSnowflake(a: string, b: string): string {
  return compareSnowflakes(a, b) < 0 ? b : a;
}
