import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { describeImportFailure } from "./import-failure.ts";
import { hookImports } from "./import-hooks.ts";
import type { Trial, TrialMessage } from "./trial.ts";

// The whole of a thread that imports one file after the other and tells of each how it went; see trial.ts.
const { folderUrl, imports, marker, files } = workerData as Trial;
hookImports({ folderUrl: () => folderUrl, imports });
// Nearly every file imports them, and their time is not the files'.
for (const url of Object.values(imports)) await import(url);
tell("ready");
for (const file of files) tell({ file, problem: await tryImport(file) });

function tell(message: TrialMessage): void {
  parentPort?.postMessage(message, []);
}

async function tryImport(file: string): Promise<string | undefined> {
  try {
    await import(folderUrl + encodeURIComponent(file) + marker);
    // What the file started and failed at once ends this thread now, while its name is still the one being tried.
    await nextTurn();
    return undefined;
  } catch (error) {
    return describeImportFailure(error, file, marker);
  }
}
