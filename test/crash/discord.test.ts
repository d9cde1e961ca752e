import { describeKills, describeTakeover } from "./kill-suite.ts";
import { openDiscordWorld } from "../platforms/discord/world.ts";

describeKills("Discord", openDiscordWorld, { repeats: "recognised" });
describeTakeover("Discord", openDiscordWorld);
