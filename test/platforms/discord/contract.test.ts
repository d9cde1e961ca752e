import { describePlatform } from "../contract-suite.ts";
import { openDiscordWorld } from "./world.ts";

describePlatform("Discord", openDiscordWorld, { groups: true, repeats: "recognised" });
