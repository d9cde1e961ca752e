#!/usr/bin/env node
// Runs on the Node that is there, from 18 on, before anything is installed: nothing but Node's own modules is imported
// until the right Node runs this file. The rest of the launcher is TypeScript and loaded only then.
import { isRightNode, runUnderPinnedNode } from "./launcher/pinned-node.mjs";
import { holdLifeline } from "./launcher/run-child.mjs";

const args = process.argv.slice(2);
holdLifeline();
try {
  const code = isRightNode()
    ? await (await import("./launcher/launch.ts")).launch(args)
    : await runUnderPinnedNode(args);
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  console.error(`parley: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
