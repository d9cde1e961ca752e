import { ApplicationCommandOptionType } from "discord.js";
import type { WireOption } from "./wire.ts";

const SUBCOMMAND: number = ApplicationCommandOptionType.Subcommand;
// In the written form a bar stands between when and what: /schedule add weekdays at 9am | sum up my mail
const BEHIND_A_BAR = new Set(["what"]);

/** A command in Discord's form as a person would have written it: `/schedule add weekdays at 9am | sum up my mail`. Pure. */
export function commandText({
  name,
  options = [],
}: {
  readonly name: string;
  readonly options?: readonly WireOption[] | undefined;
}): string {
  return [`/${name}`, ...wordsOf(name, options)].join(" ");
}

function wordsOf(command: string, options: readonly WireOption[]): string[] {
  return options.flatMap((option) => {
    if (option.type === SUBCOMMAND) return [option.name, ...wordsOf(command, option.options ?? [])];
    const value = typeof option.value === "string" ? option.value.trim() : "";
    if (value === "") return [];
    return command === "schedule" && BEHIND_A_BAR.has(option.name) ? ["|", value] : [value];
  });
}
