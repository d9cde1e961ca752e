import { z } from "zod";

/** What the server counts about itself. */
export interface Counters {
  /** User and system time of the whole process, its background threads included, microseconds. */
  readonly cpuUs: number;
  /** Commands executed, those inside scripts included. */
  readonly executed: number;
  /** Times it read from a socket; commands that arrive together are one read. */
  readonly reads: number;
  readonly aofBytes: number;
  readonly usedMemory: number;
}

const infoSchema = z.object({
  used_cpu_user: z.coerce.number(),
  used_cpu_sys: z.coerce.number(),
  total_commands_processed: z.coerce.number(),
  total_reads_processed: z.coerce.number(),
  // Absent without an append-only file.
  aof_current_size: z.coerce.number().default(0),
  used_memory: z.coerce.number(),
});

/** Reads the reply of INFO. */
export function parseCounters(info: string): Counters {
  const fields = Object.fromEntries(
    info.split("\r\n").flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
  const parsed = infoSchema.parse(fields);
  return {
    cpuUs: (parsed.used_cpu_user + parsed.used_cpu_sys) * 1e6,
    executed: parsed.total_commands_processed,
    reads: parsed.total_reads_processed,
    aofBytes: parsed.aof_current_size,
    usedMemory: parsed.used_memory,
  };
}

/** What was counted between two readings. */
export function difference(before: Counters, after: Counters): Counters {
  return {
    cpuUs: after.cpuUs - before.cpuUs,
    executed: after.executed - before.executed,
    reads: after.reads - before.reads,
    aofBytes: after.aofBytes - before.aofBytes,
    usedMemory: after.usedMemory - before.usedMemory,
  };
}
