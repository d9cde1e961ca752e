import { describePlatform } from "./contract-suite.ts";
import { openWebWorld } from "./web-world.ts";

const NATURE = { groups: false, repeats: "never leaves the process" } as const;

describePlatform("the web page", () => Promise.resolve(openWebWorld("web")), NATURE);
describePlatform("the terminal", () => Promise.resolve(openWebWorld("terminal")), NATURE);
