import { revealText, type ConfigText } from "./server-spec.ts";

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

// What programs need to find others, their user's files and the right language; none of it is a secret of ours.
const PASSED_ON = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** The whole environment of a server's program: a few variables of this process, and what was configured for it. */
export function programEnv(env: Environment, configured: Readonly<Record<string, ConfigText>>): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries([
    ...passed,
    ...Object.entries(configured).map(([name, value]) => [name, revealText(value)] as const),
  ]);
}
