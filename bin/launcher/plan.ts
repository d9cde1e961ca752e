/** What a command line asks the launcher for. `dev` says whether the developer's dependencies are needed. */
export type Plan =
  | { readonly do: "call"; readonly module: string; readonly args: readonly string[]; readonly dev: boolean }
  | { readonly do: "check"; readonly dev: true }
  | { readonly do: "refuse"; readonly message: string };

/** Decides what to run. Only `start` and `dev` are known here; every other word is the command line's own business. */
export function planCommand(args: readonly string[]): Plan {
  const [first, second, ...rest] = args;
  if (first === "start") return { do: "call", module: "src/main.ts", args: args.slice(1), dev: false };
  if (first !== "dev") return { do: "call", module: "src/cli/index.ts", args, dev: false };

  if (second === "bench") return { do: "call", module: "bench/index.ts", args: rest, dev: true };
  if (second !== "check") {
    const said = second === undefined ? "a command is missing" : `there is no command "${second}"`;
    return { do: "refuse", message: `dev: ${said}; known are: check, bench` };
  }
  if (rest.length > 0)
    return { do: "refuse", message: `dev check takes no arguments, but was given: ${rest.join(" ")}` };
  return { do: "check", dev: true };
}
