import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { isRunning } from "../../../test/mcp/lab.ts";
import { startStdioChild, type StdioProgram } from "./stdio-child.ts";

const HOLDER = fileURLToPath(new URL("../../../test/mcp/programs/holder.ts", import.meta.url));
const env = { PATH: process.env["PATH"] ?? "" };

function start(program: Partial<StdioProgram>) {
  const child = startStdioChild({ command: "sh", args: [], env, ...program });
  onTestFinished(() => child.stop());
  return child;
}

describe("a program", () => {
  test("reads and writes, gets its arguments as they are and only its own environment", async () => {
    const child = start({
      args: ["-c", 'printf "%s|" "$@" "$COLOUR" "$HOME"; cat', "sh", "a b", "$(id)", "'\"*"],
      env: { ...env, COLOUR: "green" },
      cwd: "/",
    });
    child.stdin.end("said");
    expect(await text(child.stdout)).toBe("a b|$(id)|'\"*|green||said");
    expect(await child.ended).toBe("it ended");
  });

  test.each([
    { what: "ends badly", program: { args: ["-c", "exit 3"] }, how: "it ended with exit code 3" },
    { what: "is killed", program: { args: ["-c", "kill -9 $$"] }, how: "it was ended by SIGKILL" },
    { what: "is not there", program: { command: "no-such-program" }, how: "its program was not found (exit code 127)" },
    { what: "has no folder", program: { cwd: "/no/such/folder" }, how: "it could not be started (ENOENT)" },
  ])("that $what says so", async ({ program, how }) => {
    const child = start(program);
    child.stdout.resume();
    child.stderr.resume();
    expect(await child.ended).toBe(how);
  });

  test("that is asked to stop gets its end of input first", async () => {
    const child = start({ args: ["-c", "cat > /dev/null; echo good-bye"] });
    const said = text(child.stdout);
    await child.stop();
    expect(await said).toBe("good-bye\n");
    expect(await child.ended).toBe("it ended");
  });

  test("has its helpers taken along when it ends by itself", async () => {
    const child = start({ args: ["-c", "sleep 600 & echo $!"] });
    const helper = Number(await text(child.stdout));
    await child.ended;
    await expect.poll(() => isRunning(helper)).toBe(false);
  });

  test("does not outlive us, even when we are killed and it does not want to end", async () => {
    const holder = spawn(process.execPath, [HOLDER], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(holder.stdout, "data")) as [Buffer];
    const pids = String(line).trim().split(" ").map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    holder.kill("SIGKILL");
    await expect.poll(() => pids.map(isRunning), { timeout: 5_000 }).toEqual([false, false]);
  });
});
