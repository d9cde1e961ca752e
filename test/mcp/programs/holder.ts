import { startStdioChild } from "../../../src/tools/mcp/stdio-child.ts";

// Starts a program that does not want to end, says who everybody is, and waits to be killed.
const STUBBORN = `
  const helper = require("node:child_process").spawn("sleep", ["600"], { stdio: "ignore" });
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
  console.log(helper.pid);
`;
const child = startStdioChild({
  command: process.execPath,
  args: ["-e", STUBBORN],
  env: { PATH: process.env["PATH"] ?? "" },
});
child.stdout.once("data", (helper: Buffer) => process.stdout.write(`${child.pid} ${String(helper)}`));
