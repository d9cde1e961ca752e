import { z } from "zod";
import type { BenchMessage } from "../workload.ts";

/** One of the engines that are compared. Its worker is a module that is run as a process of its own. */
export interface Engine {
  readonly name: "parley" | "bullmq";
  readonly title: string;
  readonly workerFile: URL;
  /** Connects the side that hands work over; `heard` is called once for each message that is answered. */
  openDriver(socketPath: string, heard: (id: string) => void): Promise<Driver>;
}

/** The side that hands work over. */
export interface Driver {
  /** Resolves when the message is stored and will be answered. */
  admit(message: BenchMessage): Promise<void>;
  close(): Promise<void>;
}

/** What a worker process is told at its start. */
export const workerSettingsSchema = z.object({
  socketPath: z.string(),
  concurrency: z.number(),
  /** How long the tool step takes; 0 is at once. */
  holdMs: z.number().default(0),
  /** Tell the parent of each run that was taken and each tool step that was begun. */
  tellEvents: z.boolean().default(false),
  /** Note how long each journalled step takes. */
  timeSteps: z.boolean().default(false),
  /** BullMQ's lockDuration and stalledInterval, when they are not the default. */
  tuned: z.object({ lockMs: z.number(), stalledMs: z.number() }).optional(),
});
export type WorkerSettings = z.infer<typeof workerSettingsSchema>;

/** What the parent asks for. `collect` is `usage` after a garbage collection. */
export const requestSchema = z.enum(["usage", "collect", "stop"]);
export type Request = z.infer<typeof requestSchema>;

/** What a worker process says. `taken` and `holding` are sent once per run. */
export const wordSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("taken") }),
  z.object({ kind: z.literal("holding") }),
  z.object({
    kind: z.literal("usage"),
    /** User and system time of the process since it began, microseconds. */
    cpuUs: z.number(),
    heapBytes: z.number(),
    residentBytes: z.number(),
    /** Time of each journalled step since the last time this was asked for, milliseconds. */
    stepMs: z.array(z.number()),
  }),
]);
export type Word = z.infer<typeof wordSchema>;
export type Usage = Extract<Word, { kind: "usage" }>;
