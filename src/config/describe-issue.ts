import type { z } from "zod";
import type { ConfigKey } from "./keys.ts";

/** One line per thing that is wrong: the path it is about and the words. Never shows a value. */
export function describeIssue(
  issue: z.core.$ZodIssue,
  keys: readonly ConfigKey[],
): readonly { readonly path: readonly PropertyKey[]; readonly isUnknownKey: boolean; readonly message: string }[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      isUnknownKey: true,
      message: `unknown key; known here: ${knownIn(issue.path, keys).join(", ")}`,
    }));
  }
  const message = issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, "");
  return [{ path: issue.path, isUnknownKey: false, message }];
}

function knownIn(path: readonly PropertyKey[], keys: readonly ConfigKey[]): readonly string[] {
  const inside = keys.filter((key) => path.every((part, index) => key.path[index] === part));
  return [...new Set(inside.map((key) => key.path[path.length] ?? ""))];
}
