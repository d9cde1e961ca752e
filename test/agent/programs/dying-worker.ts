import { Redis } from "ioredis";
import { silentLog } from "../../../src/kernel/ports.ts";
import { assemble } from "../assemble.ts";
import { effectTools } from "../effect-tools.ts";

// A worker that is killed, as by a power cut, in the middle of a call of every kind at once.
// Environment: REDIS_PATH, REDIS_DB, MODEL_URL.

const { REDIS_PATH = "", REDIS_DB = "", MODEL_URL = "" } = process.env;
const database = { path: REDIS_PATH, db: Number(REDIS_DB) };
const redis = new Redis(database);
let begun = 0;

const tools = effectTools(async (effect, { idempotencyKey }) => {
  await redis.rpush(`calls:${effect}`, idempotencyKey);
  begun += 1;
  if (begun === 3) process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
});

const runtime = await assemble({ database, redis, modelUrl: MODEL_URL, tools, log: silentLog });
await runtime.worker.start();
