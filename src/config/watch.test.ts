import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { loadConfig, type LoadedConfig } from "./load.ts";
import { watchConfig, type ConfigWatch } from "./watch.ts";

const NEVER_MS = 2 ** 30;

let dir: string;
let watching: ConfigWatch | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-watch-"));
  await mkdir(join(dir, "prompts"));
  await writeFile(join(dir, "prompts/system.md"), "First.");
  await writeFile(join(dir, "parley.yaml"), "log_level: info\n");
});
afterEach(async () => {
  await watching?.close();
  await rm(dir, { recursive: true, force: true });
});

/** Starts watching; the two functions wait for the next call of a callback, and `calls` counts them. */
async function start(options: Partial<Parameters<typeof watchConfig>[0]> = {}) {
  const events = new EventEmitter();
  const calls: string[] = [];
  const initial = await loadConfig({ env: {}, dir });
  const config = watchConfig({
    env: {},
    dir,
    initial,
    debounceMs: 20,
    pollMs: NEVER_MS,
    onChange: (loaded) => {
      calls.push(loaded.config.log_level);
      events.emit("change", loaded);
    },
    onError: (error) => {
      calls.push("error");
      events.emit("problem", error);
    },
    ...options,
  });
  watching = config;
  // Until the first look is over nothing is watched.
  await config.check();
  return {
    config,
    initial,
    calls,
    change: async (): Promise<LoadedConfig> => (await once(events, "change"))[0],
    problem: async (): Promise<Error> => (await once(events, "problem"))[0],
  };
}

const settings = (text: string) => writeFile(join(dir, "parley.yaml"), text);

describe("a watched configuration", () => {
  test("follows a change of the settings", async () => {
    const { config, change, initial } = await start();
    const changed = change();
    await settings("log_level: debug\n");
    expect((await changed).config.log_level).toBe("debug");
    expect(config.current().config.log_level).toBe("debug");
    expect(initial.config.log_level).toBe("info");
  });

  test("follows a change of the prompt", async () => {
    const { change } = await start();
    const changed = change();
    await writeFile(join(dir, "prompts/system.md"), "Second.");
    expect((await changed).config.bot.prompt_text).toBe("Second.");
  });

  test("follows a prompt that moved to another folder", async () => {
    await mkdir(join(dir, "other"));
    await writeFile(join(dir, "other/mine.md"), "Mine.");
    const { change, config } = await start();
    const moved = change();
    await settings("bot:\n  prompt: other/mine.md\n");
    expect((await moved).config.bot.prompt_text).toBe("Mine.");
    await config.check();
    const changed = change();
    await writeFile(join(dir, "other/mine.md"), "Mine again.");
    expect((await changed).config.bot.prompt_text).toBe("Mine again.");
  });

  test("follows a file that is replaced by another one, as editors do", async () => {
    const { change } = await start();
    for (const level of ["debug", "warn", "error"]) {
      const changed = change();
      await writeFile(join(dir, "parley.yaml.new"), `log_level: ${level}\n`);
      await rename(join(dir, "parley.yaml.new"), join(dir, "parley.yaml"));
      expect((await changed).config.log_level).toBe(level);
    }
  });

  test("keeps the last good settings through a mistake, says where it is, and goes on when it is mended", async () => {
    const { config, change, problem } = await start();
    const failed = problem();
    await settings("log_level: info\nserver:\n  port: many\n");
    const error = await failed;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("parley.yaml:3:9 server.port: expected number, received string");
    expect(config.current().config.log_level).toBe("info");
    expect(config.problem()).toBe(error);

    const mended = change();
    await settings("log_level: warn\n");
    expect((await mended).config.log_level).toBe("warn");
    expect(config.problem()).toBeUndefined();
  });

  test("tells that the files are good again, also when they are as before", async () => {
    const { change, problem, calls } = await start();
    const failed = problem();
    await settings("log_level: loud\n");
    await failed;
    const mended = change();
    await settings("log_level: info\n");
    await mended;
    expect(calls).toEqual(["error", "info"]);
  });

  test("says nothing when a file was only touched, and reports the same mistake once", async () => {
    const { config, change, problem, calls } = await start();
    await utimes(join(dir, "parley.yaml"), new Date(), new Date());
    await settings("log_level: info\n");
    await config.check();
    expect(calls).toEqual([]);
    const failed = problem();
    await settings("log_level: loud\n");
    await failed;
    await config.check();
    await config.check();
    const mended = change();
    await settings("log_level: debug\n");
    await mended;
    expect(calls).toEqual(["error", "debug"]);
  });

  test("notices a change made between loading and watching", async () => {
    const { initial } = await start();
    await watching?.close();
    await settings("log_level: error\n");
    const late = watchConfig({ env: {}, dir, initial, pollMs: NEVER_MS, onChange: () => {}, onError: () => {} });
    watching = late;
    await late.check();
    expect(late.current().config.log_level).toBe("error");
  });

  test("finds a folder that appears later, by polling", async () => {
    await rm(dir, { recursive: true });
    const { change, initial } = await start({ pollMs: 10 });
    expect(initial.config.log_level).toBe("info");
    const changed = change();
    const made = await mkdtemp(join(tmpdir(), "parley-watch-"));
    await writeFile(join(made, "parley.yaml"), "log_level: debug\n");
    await rename(made, dir);
    expect((await changed).config.log_level).toBe("debug");
  });

  test("does not use a file that was read while it was being written", async () => {
    let halfWritten = false;
    const { config, calls } = await start({
      debounceMs: 1,
      readFile: async (path) => {
        const text = await readFile(path, "utf8");
        if (!halfWritten || !path.endsWith("parley.yaml")) return text;
        halfWritten = false;
        return "";
      },
    });
    halfWritten = true;
    await config.check();
    expect(calls).toEqual([]);
    halfWritten = true;
    await settings("log_level: debug\n");
    await config.check();
    await config.check();
    expect(calls).toEqual(["debug"]);
  });

  test("calls nothing any more once it is closed", async () => {
    const { config, calls } = await start({ debounceMs: 1, pollMs: 5 });
    await config.close();
    await settings("log_level: debug\n");
    await config.check();
    expect(calls).toEqual([]);
    expect(config.current().config.log_level).toBe("info");
  });
});
