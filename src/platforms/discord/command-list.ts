import {
  ApplicationCommandOptionType,
  ApplicationIntegrationType,
  InteractionContextType,
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandSubcommandOption,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from "discord.js";

interface Field {
  readonly name: string;
  readonly description: string;
  readonly required?: true;
  readonly choices?: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly fields?: readonly Field[];
  readonly subcommands?: readonly Entry[];
  /** The answer is about the person alone: in a server only they see it. */
  readonly personal?: true;
}

const ID: Field = { name: "id", description: "The schedule's id, as /schedule list shows it", required: true };
const WHEN = "For example: weekdays at 9am, every 15m, tomorrow 18:00";

const COMMANDS: readonly Entry[] = [
  {
    name: "help",
    description: "Lists the commands",
    fields: [{ name: "command", description: "The command to explain" }],
  },
  { name: "new", description: "Starts a new conversation; memory stays" },
  { name: "reset", description: "Starts anew and asks whether memory goes too" },
  { name: "stop", description: "Stops what I am doing and says what was already done" },
  { name: "status", description: "Shows what I am doing and what waits" },
  { name: "tools", description: "Lists what I can do" },
  { name: "memory", description: "Lists what I remember about you", personal: true },
  {
    name: "queue",
    description: "Shows waiting messages, or chooses how they are taken",
    fields: [
      {
        name: "mode",
        description: "How messages are taken while I am busy",
        choices: ["queue", "collect", "steer", "interrupt"],
      },
    ],
  },
  { name: "debug", description: "Shows the last run in detail" },
  { name: "where", description: "Shows which conversation and which memory this is", personal: true },
  {
    name: "model",
    description: "Shows the models, or chooses one for this conversation",
    fields: [{ name: "name", description: "The model to use from now on" }],
  },
  {
    name: "privacy",
    description: "Gives you everything I keep about you, or deletes it",
    personal: true,
    fields: [{ name: "what", description: "What to do", choices: ["export", "forget"] }],
  },
  {
    name: "link",
    description: "Makes your accounts on several platforms one person",
    personal: true,
    fields: [{ name: "code", description: "The code from your other account; or: list; or: remove <account>" }],
  },
  { name: "usage", description: "Shows what you have used of your budgets", personal: true },
  {
    name: "approve",
    description: "Lets me do what I have asked about",
    fields: [{ name: "id", description: "Which call, when several wait" }],
  },
  {
    name: "deny",
    description: "Keeps me from doing what I have asked about",
    fields: [{ name: "id", description: "Which call, when several wait" }],
  },
  {
    name: "schedule",
    description: "Things I do at set times",
    subcommands: [
      {
        name: "add",
        description: "Makes a schedule",
        fields: [
          { name: "when", description: WHEN, required: true },
          { name: "what", description: "What I am to do then", required: true },
        ],
      },
      { name: "list", description: "Lists your schedules" },
      { name: "show", description: "Shows a schedule and its next times", fields: [ID] },
      { name: "run", description: "Does it once now, here", fields: [ID] },
      { name: "pause", description: "Stops a schedule until it is resumed", fields: [ID] },
      { name: "resume", description: "Lets a paused schedule go on", fields: [ID] },
      {
        name: "edit",
        description: "Changes when or what",
        fields: [ID, { name: "when", description: WHEN }, { name: "what", description: "What I am to do then" }],
      },
      { name: "delete", description: "Deletes a schedule", fields: [ID] },
      { name: "history", description: "Shows how it went the last times", fields: [ID] },
      {
        name: "zone",
        description: "Sets your time zone",
        fields: [{ name: "zone", description: "For example Europe/Madrid", required: true }],
      },
    ],
  },
];

/** The commands as Discord wants to be told of them. */
export function commandDefinitions(): RESTPostAPIChatInputApplicationCommandsJSONBody[] {
  return COMMANDS.map(({ name, description, fields, subcommands }) => ({
    name,
    description,
    contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
    integration_types: [ApplicationIntegrationType.GuildInstall],
    options: subcommands === undefined ? (fields ?? []).map(optionOf) : subcommands.map(subcommandOf),
  }));
}

/** True when the answer to a command is for the one who gave it, and for nobody else in the channel. */
export function isPersonal(name: string): boolean {
  return COMMANDS.some((each) => each.name === name && each.personal === true);
}

function subcommandOf({ name, description, fields = [] }: Entry): APIApplicationCommandSubcommandOption {
  return { type: ApplicationCommandOptionType.Subcommand, name, description, options: fields.map(optionOf) };
}

function optionOf({ name, description, required, choices }: Field): APIApplicationCommandBasicOption {
  return {
    type: ApplicationCommandOptionType.String,
    name,
    description,
    required: required === true,
    ...(choices === undefined ? {} : { choices: choices.map((value) => ({ name: value, value })) }),
  };
}
