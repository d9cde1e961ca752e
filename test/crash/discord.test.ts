import { describeKills, describeTakeover } from "./platform-kills.ts";
import { openDiscordWorld } from "../platforms/discord/world.ts";

describeKills("Discord", openDiscordWorld, { repeats: "recognised" });
describeTakeover("Discord", openDiscordWorld);
