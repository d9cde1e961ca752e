import { Command, CommanderError, Option } from "commander";
import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import { VERSION } from "../kernel/version.ts";
import type { ChatOptions } from "./chat/chat.ts";
import { CommandFailed } from "./command-failed.ts";
import { printLine, type Io } from "./io.ts";
import type { KeyOptions } from "./keys.ts";
import type { ScheduleOptions } from "./schedule.ts";

/** Does what the command line asks for. Resolves with the exit code: 0 done, 1 failed, 2 a wrong line or configuration. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = describeProgram(io, (result) => {
    code = result;
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // The program has already said what was wrong, or was asked for help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const isExpected = error instanceof CommandFailed || error instanceof OutsideError || error instanceof InvalidInput;
    if (!isExpected) throw error;
    printLine(io.errors, `parley: ${describeError(error)}`);
    return error instanceof CommandFailed ? error.exitCode : 1;
  }
}

// What a command needs is loaded when it runs: help and a mistake are answered at once.
function describeProgram(io: Io, onCode: (code: number) => void): Command {
  const runs =
    <Args extends readonly unknown[]>(work: (...args: Args) => Promise<number>) =>
    async (...args: Args): Promise<void> => {
      onCode(await work(...args));
    };

  const program = new Command("parley")
    .description("A self-hosted bot that answers every message once, whatever crashes.")
    .version(VERSION, "-V, --version", "show the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help on a command")
    .showHelpAfterError("Use --help to see what there is.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.output.write(text),
      writeErr: (text) => void io.errors.write(text),
      outputError: (text) => printLine(io.errors, `parley: ${text.replace(/^error: /, "").trimEnd()}`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("after", AFTER_HELP);

  // `start` is the launcher's; it is here so that help shows it.
  program
    .command("start")
    .description("run the bot until Ctrl+C: every role, with a Redis of its own unless REDIS_URL is set");

  program
    .command("chat")
    .description("talk to the bot in this terminal, or pipe lines to it")
    .option("--user <name>", "who speaks: whose memory counts (default: your login name)")
    .option("--conversation <id>", "which conversation to go on with (default: terminal:<user>)")
    .addOption(urlOption())
    .addHelpText("after", CHAT_HELP)
    .action(runs(async (options: ChatOptions) => (await import("./chat/chat.ts")).chat(options, io)));

  program
    .command("status")
    .description("say whether the bot answers and can work; exit code 0 if so, 1 if not")
    .option("--json", "print JSON")
    .addOption(urlOption())
    .action(runs(async (options: { url?: string; json?: true }) => (await import("./status.ts")).status(options, io)));

  const config = program.command("config").description("check or show the configuration");
  config
    .command("check")
    .description("say what is wrong with the configuration, with its place; exit code 2 if anything is")
    .action(runs(async () => (await import("./config-commands.ts")).checkConfig(io)));
  config
    .command("show")
    .description("show every value in force and where it comes from; secrets stay hidden")
    .option("--json", "print JSON")
    .action(runs(async (options: { json?: true }) => (await import("./config-commands.ts")).showConfig(options, io)));

  const keys = program
    .command("keys")
    .description("make, list and take back API keys, with the admin key in PARLEY_API_KEY");
  keys
    .command("create")
    .description("make a key and print it, this once")
    .requiredOption("--name <name>", "what it is for")
    .addOption(new Option("--scope <scope>", "what it may do").choices(["admin", "chat", "read"]).makeOptionMandatory())
    .option("--user <id>", "the only person it may act for (default: everyone)")
    .addOption(urlOption())
    .action(runs(async (options: KeyOptions) => (await import("./keys.ts")).createKey(options, io)));
  keys
    .command("list")
    .description("list the keys, without the keys themselves")
    .option("--json", "print JSON")
    .addOption(urlOption())
    .action(runs(async (options: { url?: string; json?: true }) => (await import("./keys.ts")).listKeys(options, io)));
  keys
    .command("revoke")
    .description("take a key back at once")
    .argument("<id>", "its id, from keys list")
    .addOption(urlOption())
    .action(
      runs(async (id: string, options: { url?: string }) => (await import("./keys.ts")).revokeKey(id, options, io)),
    );

  program
    .command("pair")
    .description("let somebody talk to the bot on a chat platform, by the code the bot gave them")
    .argument("[code]", "the code; without one, who was let in and who asks is listed")
    .option("--remove <user>", "let somebody no longer talk to it")
    .option("--json", "print JSON")
    .addOption(urlOption())
    .action(
      runs(async (code: string | undefined, options: { remove?: string; url?: string; json?: true }) => {
        const commands = await import("./pair.ts");
        if (options.remove !== undefined) return commands.unpair(options.remove, options, io);
        return code === undefined ? commands.listPairings(options, io) : commands.pair(code, options, io);
      }),
    );

  const schedule = program.command("schedule").description("make, list and change a person's schedules");
  const load = () => import("./schedule.ts");
  const scheduleOptions = (command: Command) =>
    command.option("--user <id>", "whose schedules (default: your login name)").addOption(urlOption());
  scheduleOptions(schedule.command("add"))
    .description('make one: parley schedule add "weekdays at 9am" "sum up my mail"')
    .argument("<when>", "a phrase or a cron expression")
    .argument("<what>", "what is to be done")
    .option("--tz <zone>", "time zone (default: the person's, else UTC)")
    .option("--conversation <id>", "where it is delivered (default: api:<user>)")
    .addOption(new Option("--catch-up <policy>", "what becomes of missed fires").choices(["skip", "once", "all"]))
    .action(
      runs(async (when: string, what: string, options: ScheduleOptions) =>
        (await load()).addSchedule(when, what, options, io),
      ),
    );
  scheduleOptions(schedule.command("preview"))
    .description("say what a phrase or expression means; nothing is stored")
    .argument("<when>", "a phrase or a cron expression")
    .option("--tz <zone>", "time zone (default: UTC)")
    .action(runs(async (when: string, options: ScheduleOptions) => (await load()).previewSchedule(when, options, io)));
  scheduleOptions(schedule.command("list"))
    .description("list them in the order of their next fire")
    .option("--json", "print JSON")
    .action(runs(async (options: ScheduleOptions) => (await load()).listSchedules(options, io)));
  for (const action of ["show", "history", "run", "pause", "resume", "delete"] as const)
    schedule
      .command(action)
      .description(SCHEDULE_ACTIONS[action])
      .argument("<id>", "its id, from schedule list")
      .option("--json", "print JSON")
      .addOption(urlOption())
      .action(
        runs(async (id: string, options: ScheduleOptions) => (await load()).doWithSchedule(action, id, options, io)),
      );
  scheduleOptions(schedule.command("edit"))
    .description("change one; what is not given stays")
    .argument("<id>", "its id, from schedule list")
    .option("--when <when>", "a phrase or a cron expression")
    .option("--what <what>", "what is to be done")
    .option("--tz <zone>", "time zone")
    .action(runs(async (id: string, options: ScheduleOptions) => (await load()).editSchedule(id, options, io)));

  return program;
}

const SCHEDULE_ACTIONS = {
  show: "show one",
  history: "show what became of its latest fires",
  run: "do its task once now, as a rehearsal",
  pause: "stop it until it is resumed",
  resume: "start it again",
  delete: "delete it with its history",
} as const;

function urlOption(): Option {
  return new Option("--url <url>", "the bot's address (default: HOST and PORT of the configuration)");
}

const AFTER_HELP = `
Settings are read from config/parley.yaml and the environment: see docs/configuration.md.
Exit codes: 0 done, 1 it did not work, 2 the command line or the configuration is wrong.`;

const CHAT_HELP = `
Without a bot at the configured address, chat runs one itself until it ends.
  /help lists the bot's commands, /quit or Ctrl+D leaves.
  Ctrl+C stops what the bot is doing; pressed again, it leaves.
  A number answers a question that has numbered choices.

  $ echo "what is 2+2" | parley chat    sends each line, prints each answer, then exits`;
