import { describePlatform } from "../contract-suite.ts";
import { openSlackWorld } from "./world.ts";

describePlatform("Slack", openSlackWorld, { groups: true, repeats: "recognised" });
