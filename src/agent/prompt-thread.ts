import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../kernel/errors.ts";
import type { PromptAnswer, PromptQuestion } from "./prompt-function.ts";

// The whole of the thread in which an operator's prompt function runs: there it may hang, eat memory or end the process
// without doing harm. It answers in the order it is asked, and first of all whether the file could be loaded.
const tell = (answer: PromptAnswer) => parentPort?.postMessage(answer, []);
const { url } = workerData as { readonly url: string };
try {
  const make = findFunction(await import(url));
  parentPort?.on("message", ({ id, context }: PromptQuestion) => {
    // The call itself may throw before there is a promise.
    new Promise((resolve) => resolve(make(context))).then(
      (text) =>
        tell(typeof text === "string" ? { id, text } : { id, problem: `it gave ${typeof text} instead of a text` }),
      (error: unknown) => tell({ id, problem: describeError(error) }),
    );
  });
  tell("ready");
} catch (error) {
  tell({ problem: describeError(error) });
}

function findFunction(loaded: unknown): (context: unknown) => unknown {
  const made: unknown = typeof loaded === "object" && loaded !== null ? Reflect.get(loaded, "default") : undefined;
  if (typeof made !== "function") throw new Error("its default export is not a function");
  return (context) => Reflect.apply(made, undefined, [context]) as unknown;
}
