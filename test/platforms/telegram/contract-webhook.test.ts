import { describePlatform } from "../contract-suite.ts";
import { openTelegramWorld } from "./world.ts";

describePlatform("Telegram by webhook", () => openTelegramWorld({ webhook: true }), {
  groups: true,
  repeats: "marked",
});
