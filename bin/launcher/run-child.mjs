import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { isatty } from "node:tty";

const PASSED_ON = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"];
/** In a terminal these already reach every process of the group; passed on as well they would arrive twice. */
const FROM_KEYBOARD = new Set(["SIGINT", "SIGQUIT"]);

/** Which file descriptor of a child ends with this process, when {@link runChild} was given `lifeline: true`. */
const LIFELINE = 3;

/**
 * Ends this process as soon as the launcher that started it is gone, whatever ended that one. Without it, killing the
 * launcher with SIGKILL would leave the program behind, with its port.
 */
export function holdLifeline() {
  if (process.env.PARLEY_LIFELINE === undefined) return;
  // The program's own children have another parent.
  delete process.env.PARLEY_LIFELINE;
  const lifeline = new Socket({ fd: LIFELINE, readable: true, writable: false });
  lifeline.on("error", () => undefined);
  lifeline.on("close", () => process.kill(process.pid, "SIGKILL"));
  lifeline.resume().unref();
}

/**
 * Runs a program with this one's input and output, passes signals on, and answers with its exit code. When a signal
 * ended it, this process ends by the same one.
 */
export async function runChild(command, args, { lifeline, env, ...options }) {
  const child = spawn(command, args, {
    stdio: lifeline ? ["inherit", "inherit", "inherit", "pipe"] : "inherit",
    env: lifeline ? { ...env, PARLEY_LIFELINE: "yes" } : env,
    ...options,
  });
  const handlers = PASSED_ON.map((signal) => {
    const pass = () => {
      if (!(FROM_KEYBOARD.has(signal) && isatty(0))) child.kill(signal);
    };
    process.on(signal, pass);
    return () => process.off(signal, pass);
  });
  try {
    return await new Promise((done, fail) => {
      child.once("error", (cause) => fail(new Error(`${command} could not be started: ${cause.message}`, { cause })));
      child.once("exit", (code, signal) => {
        if (signal === null) return done(code ?? 1);
        for (const remove of handlers) remove();
        process.kill(process.pid, signal);
      });
    });
  } finally {
    for (const remove of handlers) remove();
  }
}
