import type { Secret } from "../kernel/secret.ts";

/** `T` with everything in it readonly; secrets stay what they are. */
export type DeepReadonly<T> = T extends Secret
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Makes `value` and all it holds unchangeable, in place, and returns it. For plain data without cycles. */
export function deepFreeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value as DeepReadonly<T>;
}
