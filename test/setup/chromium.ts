import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = ["/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/snap/bin"];
const MAC = ["Google Chrome", "Chromium"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

/**
 * The browser for the browser tests: `PARLEY_CHROMIUM`, else a Chromium or Chrome in the usual places, else undefined.
 * Throws when `PARLEY_CHROMIUM` names a file that is not there, and under `CI=true` when there is none at all.
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env["PARLEY_CHROMIUM"];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`PARLEY_CHROMIUM names ${named}, which does not exist`);
  }
  const folders = [...(env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""), ...PLACES];
  const found = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...MAC].find(existsSync);
  if (found === undefined && env["CI"] === "true") throw new Error(`CI needs a browser. ${NO_CHROMIUM}`);
  return found;
}

/** What a suite that needs a browser says when it is left out. */
export const NO_CHROMIUM =
  "No Chromium or Chrome was found, so the browser tests are left out. Debian, Ubuntu: sudo apt-get install chromium; " +
  "macOS: brew install --cask chromium; elsewhere set PARLEY_CHROMIUM to one.";
