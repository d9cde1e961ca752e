import { describePlatform } from "../contract-suite.ts";
import { openTelegramWorld } from "./world.ts";

describePlatform("Telegram", openTelegramWorld, { groups: true, repeats: "marked" });
