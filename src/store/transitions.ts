import { z } from "zod";
import { defineScript } from "./script.ts";

const lua = (name: string) => new URL(`./scripts/${name}.lua`, import.meta.url);

/** lane, token, run, attempt, how, lines before, last of them, first lines of the run. */
const claimReply = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.enum(["new", "resume"]),
  z.number(),
  z.string(),
  z.array(z.string()),
]);

// What each transition does, and why it may be repeated, stands at the head of its Lua file.

export const admitScript = defineScript({
  file: lua("admit"),
  keys: ["own", "record"],
  args: ["tag", "lane", "run", "entry", "recordMs", "maxWaiting"],
  reply: z.tuple([z.enum(["started", "joined", "queued", "duplicate", "full"]), z.number(), z.string()]),
});

export const claimScript = defineScript({
  file: lua("claim"),
  keys: ["own", "workers", "claimed", "ready", "bell"],
  args: ["tag", "worker", "first", "kind", "room"],
  reply: z.union([z.literal("gone"), z.array(claimReply)]),
});

export const finishScript = defineScript({
  file: lua("finish"),
  keys: ["own"],
  args: ["tag", "lane", "token", "next", "keep", "lines"],
  reply: z.union([z.tuple([z.enum(["finished", "lost"])]), z.tuple([z.enum(["finished", "lost"]), claimReply])]),
});

export const commitScript = defineScript({
  file: lua("commit"),
  keys: ["own", "owned"],
  args: ["tag", "line"],
  reply: z.enum(["recorded", "lost"]),
});

export const parkScript = defineScript({
  file: lua("park"),
  keys: ["own", "owned", "journal", "delay"],
  args: ["tag", "lane", "token", "waitMs", "mail", "key", "failed", "read", "lines"],
  reply: z.enum(["parked", "lost"]),
});

export const wakeScript = defineScript({
  file: lua("wake"),
  keys: ["own", "journal", "delay"],
  args: ["tag", "lane", "key", "line"],
  reply: z.enum(["woken", "not-waiting"]),
});

export const decideScript = defineScript({
  file: lua("decide"),
  keys: ["own", "matter", "journal", "delay"],
  args: ["tag", "lane", "run", "key", "decision", "line", "keepMs", "channel", "payload"],
  reply: z.tuple([z.enum(["recorded", "decided", "late", "over", "unknown"]), z.string()]),
});

export const beatScript = defineScript({
  file: lua("beat"),
  keys: ["own", "workers", "delay"],
  args: ["tag", "worker", "leaseMs", "register"],
  reply: z.tuple([z.enum(["ok", "gone"]), z.number(), z.number(), z.array(z.string())]),
});

export const reapScript = defineScript({
  file: lua("reap"),
  keys: ["own", "workers", "delay"],
  args: ["tag", "worker", "leaseMs", "lateMs"],
  reply: z.number(),
});

export const cancelScript = defineScript({
  file: lua("cancel"),
  keys: ["own", "journal", "inbox", "delay", "cold", "witness"],
  args: ["tag", "lane", "run", "length", "keepMs", "note", "line"],
  reply: z.enum(["cancelled", "over", "changed", "lost"]),
});

export const absorbScript = defineScript({
  file: lua("absorb"),
  keys: ["owned", "inbox"],
  args: ["known"],
  reply: z.union([z.literal("lost"), z.array(z.string())]),
});

export const changeWaitingScript = defineScript({
  file: lua("change-waiting"),
  keys: ["inbox", "record"],
  args: ["id", "body", "recordMs"],
  reply: z.enum(["changed", "withdrawn", "taken", "unknown"]),
});

export const compactScript = defineScript({
  file: lua("compact"),
  keys: ["own", "journal", "archive", "cold", "rest"],
  args: ["lane", "length", "last", "trim", "archive", "keepMs"],
  reply: z.enum(["compacted", "changed"]),
});

export const repackScript = defineScript({
  file: lua("repack"),
  keys: ["own", "journal", "archive", "rest"],
  args: ["lane", "length", "last", "archive", "keepMs"],
  reply: z.enum(["repacked", "changed"]),
});

export const eraseLaneScript = defineScript({
  file: lua("erase-lane"),
  keys: ["own", "journal", "archive", "inbox", "delay", "cold", "rest"],
  args: ["tag", "lane", "run", "lines", "waiting"],
  reply: z.enum(["erased", "changed"]),
});

export const rewriteLaneScript = defineScript({
  file: lua("rewrite-lane"),
  keys: ["own", "journal", "archive", "cold"],
  args: ["lane", "length", "last", "archive", "lines"],
  reply: z.enum(["rewritten", "changed", "busy"]),
});
