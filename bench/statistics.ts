/** The value below which the share `q` of the values lies; interpolated, `NaN` for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** The middle value; `NaN` for no values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of `a[i] / b[i]`: pairs come from the same round, so what slowed the machine slowed both. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.slice(0, b.length).map((value, index) => value / (b[index] ?? Number.NaN)));
}
