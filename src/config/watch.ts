import { watch, type FSWatcher } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "./environment.ts";
import { loadConfig, type LoadedConfig } from "./load.ts";
import type { ReadFile } from "./prompt.ts";

/** The configuration of a running process, kept up to date with its files. */
export interface ConfigWatch {
  /** The last configuration that passed every check. A value: keep it as long as you need one consistent view. */
  current(): LoadedConfig;
  /** What is wrong with the files as they are now, when they cannot be used; `current` is older then. */
  problem(): Error | undefined;
  /** Looks at the files now instead of when the next change is noticed. */
  check(): Promise<void>;
  /** Stops watching; afterwards no callback is called. */
  close(): Promise<void>;
}

/**
 * Watches the configuration folder and loads it again when a file's content changed. A change that cannot be used is
 * reported once and the last good configuration stays in force. The callbacks must not throw.
 */
export function watchConfig(options: {
  readonly env: Environment;
  readonly dir: string;
  /** What the process started with. */
  readonly initial: LoadedConfig;
  /** Called when the files changed and can be used, also when they are good again after a mistake. */
  readonly onChange: (loaded: LoadedConfig) => void;
  /** Called with a `ConfigError` that lists every mistake. */
  readonly onError: (error: Error) => void;
  /** How long the folder must be quiet first: an editor may still be writing. */
  readonly debounceMs?: number;
  /** How often to look anyway, because some file systems tell of no change and a missing folder cannot be watched. */
  readonly pollMs?: number;
  /** As for `loadConfig`. */
  readonly readFile?: ReadFile;
}): ConfigWatch {
  const { dir, onChange, onError, debounceMs = 200, pollMs = 10_000 } = options;
  let current = options.initial;
  let problem: Error | undefined;
  let closed = false;
  let watchers: readonly FSWatcher[] = [];
  let quiet: NodeJS.Timeout | undefined;
  let work = Promise.resolve();

  const look = async (): Promise<void> => {
    if (closed) return;
    // Watching starts anew before each reading, so a replaced folder is noticed and no change falls in between.
    for (const watcher of watchers) watcher.close();
    watchers = foldersOf(dir, current).flatMap((folder) => watchFolder(folder, soon));
    const found = await settle();
    if (closed || !isNews(found)) return;
    if ("error" in found) {
      problem = found.error;
      onError(problem);
      return;
    }
    const promptMoved = found.loaded.config.bot.prompt !== current.config.bot.prompt;
    current = found.loaded;
    problem = undefined;
    onChange(current);
    if (promptMoved) soon();
  };
  // A file may be looked at while it is being written, and half a file can be a valid one: news counts when it stays.
  const settle = async (): Promise<Attempt> => {
    let found = await attempt(options);
    while (!closed && isNews(found)) {
      await delay(debounceMs, undefined, { ref: false });
      const again = await attempt(options);
      if (isSame(found, again)) break;
      found = again;
    }
    return found;
  };
  const isNews = (found: Attempt): boolean =>
    !isSame(found, problem === undefined ? { loaded: current } : { error: problem });
  const check = (): Promise<void> => (work = work.then(look));
  const soon = (): void => {
    clearTimeout(quiet);
    if (!closed) quiet = setTimeout(() => void check(), debounceMs).unref();
  };

  const poll = setInterval(() => void check(), pollMs).unref();
  void check();
  return {
    current: () => current,
    problem: () => problem,
    check,
    close: async () => {
      closed = true;
      clearInterval(poll);
      clearTimeout(quiet);
      await work;
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** What one reading of the files gave. */
type Attempt = { readonly loaded: LoadedConfig } | { readonly error: Error };

function attempt(options: Parameters<typeof loadConfig>[0]): Promise<Attempt> {
  return loadConfig(options).then(
    (loaded) => ({ loaded }),
    (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
  );
}

function isSame(one: Attempt, other: Attempt): boolean {
  if ("error" in one) return "error" in other && one.error.message === other.error.message;
  return "loaded" in other && one.loaded.fingerprint === other.loaded.fingerprint;
}

function foldersOf(dir: string, loaded: LoadedConfig): readonly string[] {
  return [...new Set([join(dir), dirname(join(dir, loaded.config.bot.prompt))])];
}

// Folders and not files: editors replace a file by another one, and a watch stays with the old.
function watchFolder(folder: string, onEvent: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch {
    // The folder is not there or the system has no watches left; the poll still looks.
    return [];
  }
}
