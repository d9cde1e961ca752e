import { Redis } from "ioredis";
import { silentLog } from "../../../src/kernel/ports.ts";
import { assemble } from "../assemble.ts";

// A worker that is killed, as by a power cut, after it deleted a part of what is kept of a person.
// Environment: REDIS_PATH, REDIS_DB.

const { REDIS_PATH = "", REDIS_DB = "" } = process.env;
const database = { path: REDIS_PATH, db: Number(REDIS_DB) };
const redis = new Redis(database);

const runtime = await assemble({
  database,
  redis,
  modelUrl: "http://127.0.0.1:1/v1",
  log: silentLog,
  more: {
    personalData: [
      {
        name: "deadly",
        collect: () => Promise.resolve([]),
        count: () => Promise.resolve({}),
        erase: () => {
          process.kill(process.pid, "SIGKILL");
          return new Promise(() => {});
        },
      },
    ],
  },
});
await runtime.worker.start();
