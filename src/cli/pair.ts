import { pairedSchema, pairingsSchema } from "../api/pairing-contract.ts";
import { printJson, printLine, type Io } from "./io.ts";
import { connectToBot } from "./settings.ts";
import { renderTable } from "./table.ts";

interface Options {
  readonly url?: string;
  readonly json?: true;
}

/** `parley pair <code>`: lets somebody talk to the bot. Returns the exit code. */
export async function pair(code: string, options: Options, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const { user_id: user, name } = await bot.ask({ method: "POST", path: "/v1/pairings", body: { code } }, pairedSchema);
  printLine(io.output, `${name} (${user}) may talk to the bot now.`);
  return 0;
}

/** `parley pair`: prints who was let in and who asks to be. Returns the exit code. */
export async function listPairings(options: Options, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const pairings = await bot.ask({ path: "/v1/pairings" }, pairingsSchema);
  if (options.json === true) {
    printJson(io.output, pairings);
    return 0;
  }
  const { data, pending } = pairings;
  if (data.length === 0 && pending.length === 0) {
    printLine(io.errors, "Nobody was let in, and nobody asks to be.");
    return 0;
  }
  const plain = (name: string) => name.replaceAll(/\s/g, " ");
  if (data.length > 0) {
    const rows = data.map(({ user_id, name, by, at }) => [user_id, plain(name), by, at]);
    printLine(io.output, renderTable([["USER", "NAME", "LET IN BY", "AT"], ...rows]));
  }
  if (pending.length > 0) {
    const rows = pending.map(({ code, user_id, name, expires_at }) => [code, user_id, plain(name), expires_at]);
    printLine(io.output, renderTable([["CODE", "WHO ASKS", "NAME", "UNTIL"], ...rows]));
  }
  return 0;
}

/** `parley pair --remove <user>`: makes somebody a stranger again. Returns the exit code. */
export async function unpair(user: string, options: Options, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  await bot.tell({ method: "DELETE", path: `/v1/pairings/${encodeURIComponent(user)}` });
  printLine(io.output, `${user} may no longer talk to the bot.`);
  return 0;
}
