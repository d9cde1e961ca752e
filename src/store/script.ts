import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import type { RedisConnection } from "./connection.ts";

/** A named transition: a Lua file, the names of its keys and arguments in order, and the shape of its reply. */
export interface ScriptDefinition<Key extends string, Arg extends string, Reply extends z.ZodType> {
  readonly file: URL;
  readonly keys: readonly Key[];
  /** Named arguments. A script that takes a variable number reads the rest after these. */
  readonly args: readonly Arg[];
  readonly reply: Reply;
}

/** A script that can be run. Named values cannot be swapped by accident; the reply is parsed before anyone sees it. */
export interface Script<Key extends string, Arg extends string, Reply extends z.ZodType> {
  readonly definition: ScriptDefinition<Key, Arg, Reply>;
  readonly lua: string;
  /** Throws when Redis refuses the script or replies with something the definition does not describe. */
  run(
    redis: RedisConnection,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Arg, string | number | Buffer>>,
    rest?: readonly (string | number | Buffer)[],
  ): Promise<z.output<Reply>>;
}

/** Reads a Lua file, with its `--@include name.lua` lines replaced by those files, and types the way to run it. */
export function defineScript<Key extends string, Arg extends string, Reply extends z.ZodType>(
  definition: ScriptDefinition<Key, Arg, Reply>,
): Script<Key, Arg, Reply> {
  const lua = readLua(definition.file);
  const sha = createHash("sha1").update(lua).digest("hex");
  const name = definition.file.pathname.split("/").at(-1);
  return {
    definition,
    lua,
    async run(redis, keys, args, rest = []) {
      const parameters: (string | number | Buffer)[] = [];
      for (const key of definition.keys) parameters.push(keys[key]);
      for (const arg of definition.args) parameters.push(args[arg]);
      parameters.push(...rest);
      let raw: unknown;
      try {
        raw = await redis.evalsha(sha, definition.keys.length, ...parameters);
      } catch (error) {
        // A restarted Redis has an empty script cache; EVAL runs the script and fills the cache again.
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        raw = await redis.eval(lua, definition.keys.length, ...parameters);
      }
      const reply = definition.reply.safeParse(raw);
      if (!reply.success) throw new Error(`Redis script ${name} gave an unexpected reply: ${reply.error.message}`);
      return reply.data;
    },
  };
}

function readLua(file: URL): string {
  return readFileSync(file, "utf8").replaceAll(/^--@include (\S+)$/gm, (_line, name: string) =>
    readLua(new URL(name, file)),
  );
}
