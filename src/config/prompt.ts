import { isAbsolute, join, normalize, sep } from "node:path";
import { errorCode } from "./error-code.ts";

/** Reads a file as text; throws with `code: "ENOENT"` when there is none. */
export type ReadFile = (path: string) => Promise<string>;

// Far more than a prompt needs, and little enough to send with every call.
const MAX_PROMPT_CHARS = 200_000;

const BUILT_IN_PROMPT =
  "You are a helpful assistant in a chat. Answer briefly and plainly, use your tools when they help, and say so when you do not know something.";

/**
 * Reads the system prompt from a file inside the configuration folder. Where the default file is not there a short
 * built-in prompt is used, with a warning; every other failure is a problem, said without its place.
 */
export async function readPrompt(
  where: { readonly dir: string; readonly file: string; readonly isDefault: boolean },
  readFile: ReadFile,
): Promise<{ readonly text: string; readonly warning?: string } | { readonly problem: string }> {
  const { dir, file, isDefault } = where;
  if (!isInside(file)) return { problem: `${file} is outside the configuration folder` };
  try {
    const text = (await readFile(join(dir, file))).replace(/^\uFEFF/, "").trim();
    if (text === "") return { problem: `${file} is empty` };
    if (text.length > MAX_PROMPT_CHARS) return { problem: `${file} has more than ${MAX_PROMPT_CHARS} characters` };
    return { text };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" && isDefault) {
      return {
        text: BUILT_IN_PROMPT,
        warning: `${join(dir, file)} does not exist: a short built-in system prompt is used.`,
      };
    }
    return { problem: code === "ENOENT" ? `${file} does not exist` : `${file} cannot be read (${code})` };
  }
}

// By name only: whoever may put a symbolic link into the folder may also decide where it leads.
function isInside(file: string): boolean {
  const path = normalize(file);
  return !isAbsolute(path) && path !== ".." && !path.startsWith(`..${sep}`) && !file.includes("\0");
}
