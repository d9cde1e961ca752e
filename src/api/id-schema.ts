import { z } from "zod";
import { InvalidId, MAX_ID_LENGTH } from "../kernel/ids.ts";

/** The schema of an id that a caller names, read by its parser; what is wrong with it is said in words. */
export function idFrom<Id extends string>(parse: (value: string) => Id, description: string) {
  return z
    .string()
    .min(1, "must not be empty")
    .max(MAX_ID_LENGTH, `must have at most ${MAX_ID_LENGTH} characters`)
    .transform((value, context): Id => {
      try {
        return parse(value);
      } catch (error) {
        if (!(error instanceof InvalidId)) throw error;
        const message = "must not contain white space, control characters or braces";
        context.issues.push({ code: "custom", input: value, message });
        return z.NEVER;
      }
    })
    .meta({ description });
}
