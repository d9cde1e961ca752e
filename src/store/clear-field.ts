import { z } from "zod";
import { defineScript } from "./script.ts";

/** Removes a field of a hash if it still has the value the caller saw. Safe to repeat. */
export const clearField = defineScript({
  file: new URL("./scripts/clear-field.lua", import.meta.url),
  keys: ["hash"],
  args: ["field", "value"],
  reply: z.enum(["cleared", "other"]),
});
