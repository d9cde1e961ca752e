import { describePlatform } from "../contract-suite.ts";
import { openTelegramWorld } from "./world.ts";

describePlatform("Telegram by long poll", () => openTelegramWorld(), { groups: true, repeats: "marked" });
