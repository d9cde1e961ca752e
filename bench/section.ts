import type { Options } from "./options.ts";
import type { PrivateRedis } from "./private-redis.ts";
import type { Table } from "./table.ts";

/** What a section is given. */
export interface Bench {
  readonly options: Options;
  /** The server both engines run on; every round begins with it empty. */
  readonly redis: PrivateRedis;
  /** Another server for a section of its own; the section stops it. */
  startRedis(appendOnly: boolean): Promise<PrivateRedis>;
  /** Tells whoever watches what is being done. */
  say(what: string): void;
}

/** What a section found. */
export interface Section {
  readonly title: string;
  readonly tables: readonly Table[];
  /** What the figures mean and how they were taken. */
  readonly notes: readonly string[];
  /** For machines and for the comparison with the targets. */
  readonly figures: Readonly<Record<string, number>>;
}
