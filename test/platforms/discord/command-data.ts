import { ApplicationCommandOptionType as Type } from "discord.js";
import { z } from "zod";

const optionSchema = z.looseObject({
  type: z.number(),
  name: z.string(),
  required: z.boolean().optional(),
  choices: z.array(z.object({ value: z.string() })).optional(),
});
const commandSchema = z.object({
  name: z.string(),
  options: z.array(optionSchema.extend({ options: z.array(optionSchema).optional() })).default([]),
});
const SUBCOMMAND: number = Type.Subcommand;
type Field = z.output<typeof optionSchema>;

/** What Discord makes of a command that a person gives: only what was registered can be given, field by field. */
export function commandData(text: string, registered: readonly object[]) {
  const [, name = "", rest = ""] = /^\/(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const command = z
    .array(commandSchema)
    .parse(registered)
    .find((each) => each.name === name);
  if (command === undefined) throw new Error(`There is no command /${name}`);
  const subcommands = command.options.filter(({ type }) => type === SUBCOMMAND);
  if (subcommands.length === 0) return { name, options: fill(command.options, rest) };
  const [, verb = "", more = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  const chosen = subcommands.find((each) => each.name === verb);
  if (chosen === undefined) throw new Error(`There is no command /${name} ${verb}`);
  return { name, options: [{ type: Type.Subcommand, name: verb, options: fill(chosen.options ?? [], more) }] };
}

/** Fields take a word each, the last one all that is left; a bar goes on to the last one. */
function fill(fields: readonly Field[], text: string) {
  const given: { type: number; name: string; value: string }[] = [];
  const [before = "", behind] = text.split("|").map((part) => part.trim());
  let left = before;
  const early = behind === undefined ? fields : fields.slice(0, -1);
  for (const [index, field] of early.entries()) {
    const isLast = index === early.length - 1;
    const [, word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(left) ?? [];
    const value = isLast ? left : word;
    left = isLast ? "" : rest;
    if (value !== "") given.push(valueOf(field, value));
  }
  const last = fields.at(-1);
  if (behind !== undefined && behind !== "" && last !== undefined) given.push(valueOf(last, behind));
  const missing = fields.find((field) => field.required === true && !given.some(({ name }) => name === field.name));
  if (missing !== undefined) throw new Error(`The field ${missing.name} has to be filled in`);
  return given;
}

function valueOf({ type, name, choices }: Field, value: string) {
  if (choices !== undefined && !choices.some((choice) => choice.value === value))
    throw new Error(`${value} is not one of the choices of ${name}`);
  return { type, name, value };
}
