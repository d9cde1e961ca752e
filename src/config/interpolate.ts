import { readVariable, type Environment } from "./environment.ts";

/** The text with its references filled in, or what is wrong with one of them. */
export type Interpolation = { readonly text: string } | { readonly problem: string };

/**
 * Fills in `${NAME}` and `${NAME:-default}` from the environment; an empty variable counts as unset. `$${` stands for
 * a plain `${`. Pure, and single-pass: what a variable holds is not looked at again.
 */
export function interpolate(text: string, env: Environment): Interpolation {
  let problem: string | undefined;
  const filled = text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (_whole, inside: string | undefined, end: string) => {
    if (inside === undefined) return "${";
    const reference = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
    const name = reference?.[1];
    if (name === undefined || end === "") {
      // The text itself is not shown: what somebody put between the braces may be a secret.
      problem ??= "cannot understand the ${…} here; write ${NAME} or ${NAME:-default}, or $${ for a plain ${";
      return "";
    }
    const value = readVariable(env, name) ?? reference?.[2];
    if (value === undefined) problem ??= `the environment variable ${name} is not set and \${${name}} has no default`;
    return value ?? "";
  });
  return problem === undefined ? { text: filled } : { problem };
}
