import { z } from "zod";

/** An object with exactly these keys, also after `extend`; for any other the message names those that are known. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code, inst }) =>
      code === "unrecognized_keys" && inst instanceof z.ZodObject
        ? `unknown key; known here: ${Object.keys(inst.shape).join(", ")}`
        : undefined,
  });
}
