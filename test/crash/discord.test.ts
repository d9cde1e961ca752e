import { describeKills, describeTakeover } from "../platforms/kill-suite.ts";
import { openDiscordWorld } from "../platforms/discord/world.ts";

describeKills("Discord", openDiscordWorld, { repeats: "recognised" });
describeTakeover("Discord", openDiscordWorld);
