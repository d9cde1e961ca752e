import type { Section } from "./section.ts";
import { show, type Table } from "./table.ts";

/** One line of the table of what is to be reached: a figure of a section, its floor and its aim. */
interface Target {
  readonly name: string;
  readonly figure: string;
  readonly better: "more" | "less";
  readonly floor: number;
  readonly aim: number;
  readonly digits: number;
  /** The figure is shown and judged multiplied by this. */
  readonly scale?: number;
  /** What of it is the machine's own: a figure that is shown beside it. */
  readonly bare?: string;
}

const TARGETS: readonly Target[] = [
  more("runs/s against the peer, everysec", "everysec.1.ratio", 3, 4, 2),
  more("runs/s against the peer, always", "always.1.ratio", 3, 4, 2),
  more("share of the ceiling, closed loop, %", "everysec.closedShare", 22, 35, 0, 100),
  more("share of the ceiling, two workers on a full queue, %", "everysec.drainedShare", 30, 50, 0, 100),
  less("Redis CPU per run, us", "everysec.1.parley.redisCpuUs", 100, 60, 0),
  less("worker CPU per run, us", "everysec.1.parley.workerCpuUs", 165, 80, 0),
  less("commands per run", "commands.parley", 6.3, 4.2, 1),
  less("AOF per run, bytes", "everysec.1.parley.aofBytes", 2200, 1800, 0),
  {
    ...less("added per journalled step, everysec, ms", "everysec.parley.stepMs", 0.16, 0.12, 3),
    bare: "everysec.bareMs",
  },
  { ...less("added per journalled step, always, ms", "always.parley.stepMs", 0.34, 0.25, 3), bare: "always.bareMs" },
  less("p99 at 50 in flight, ms", "everysec.1.parley.p99Ms", 23, 12, 1),
  less("takeover of 100 runs after kill -9, ms", "recovery.parley.takenMs", 500, 250, 0),
  less("bytes per idle workspace with 50 messages", "workspace.idle", 6500, 4000, 0),
  less("claim time beside most idle workspaces to fewest (flat)", "claimGrowth", 1.25, 1.1, 2),
  less("bytes per schedule, 10 for each person", "schedules.10.bytes", 293, 160, 0),
  less("bytes per schedule, 1 for each person", "schedules.1.bytes", 293, 160, 0),
  more("fires/s when all schedules fall due at once", "schedules.10.firesPerS", 15_000, 25_000, 0),
  less("wrong or missed fires", "schedules.10.wrong", 0, 0, 0),
  less("growth of the worker's heap, most runs to fewer, MiB (flat)", "heapGrowthMiB", 16, 4, 1),
];

/** What was measured beside what is to be reached. Says, and judges nothing. */
export function compareWithTargets(sections: readonly Section[]): Table {
  const figures = Object.assign({}, ...sections.map((section) => section.figures)) as Record<string, number>;
  return {
    columns: ["figure", "measured", "floor", "aim", ""],
    rows: TARGETS.map((target) => {
      const { name, better, floor, aim, digits, scale = 1 } = target;
      const measured = figures[target.figure];
      const value = measured === undefined ? undefined : measured * scale;
      const sign = better === "more" ? ">=" : "<=";
      const bound = (limit: number) => `${sign} ${show(limit, digits)}`;
      const bare = target.bare === undefined ? undefined : figures[target.bare];
      const beside = bare === undefined ? "" : ` (bare command ${show(bare, digits)})`;
      return [name, `${show(value, digits)}${beside}`, bound(floor), bound(aim), verdict(target, value)];
    }),
  };
}

function verdict({ better, floor, aim }: Target, value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "not measured";
  const reaches = (limit: number) => (better === "more" ? value >= limit : value <= limit);
  if (reaches(aim)) return "aim reached";
  return reaches(floor) ? "floor reached" : "below the floor";
}

function more(name: string, figure: string, floor: number, aim: number, digits: number, scale?: number): Target {
  return { name, figure, better: "more", floor, aim, digits, ...(scale === undefined ? {} : { scale }) };
}

function less(name: string, figure: string, floor: number, aim: number, digits: number): Target {
  return { name, figure, better: "less", floor, aim, digits };
}
