import { schedule } from "node-cron";
import { z } from "zod";

// One node-cron task for each schedule, as a program without a store would do it. Says what it took and what fired.

const { count, delayS } = z
  .object({ count: z.number(), delayS: z.number() })
  .parse(JSON.parse(process.argv[2] ?? "{}"));
const began = performance.now();
const due = new Date(Date.now() + delayS * 1000);
const expression = `${due.getSeconds()} ${due.getMinutes()} ${due.getHours()} * * *`;
let fired = 0;
let blockedMs = 0;
for (let index = 0; index < count; index++)
  schedule(expression, () => {
    fired += 1;
  });
const createdMs = performance.now() - began;
const heapBytes = process.memoryUsage().heapUsed;
const rssBytes = process.memoryUsage().rss;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  blockedMs = Math.max(blockedMs, now - last - 20);
  last = now;
}, 20);
setTimeout(
  () => {
    process.stdout.write(
      `${JSON.stringify({ createdMs, heapBytes, rssBytes, fired, blockedMs, inTime: Date.now() })}\n`,
      // Its tasks would keep it alive.
      () => process.kill(process.pid, "SIGKILL"),
    );
  },
  Math.max(0, due.getTime() - Date.now()) + 8_000,
);
