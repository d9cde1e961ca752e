import { createAttachmentIntake } from "../../src/agent/attachment-intake.ts";
import type { RedisConnection } from "../../src/store/connection.ts";
import { createArtifactStore } from "../../src/store/artifacts.ts";
import { createResultStore } from "../../src/store/results.ts";
import type { ShelfLimits } from "../../src/store/shelf.ts";
import { createUploadStore } from "../../src/store/uploads.ts";

/** Where files are kept, with limits that are easy to reach. */
export function shelves(redis: RedisConnection, over: Partial<ShelfLimits> = {}) {
  const limits = { maxBytes: 10_000, quotaBytes: 100_000, quotaFiles: 20, keepMs: 3_600_000, ...over };
  const clock = { now: Date.now };
  const uploads = createUploadStore(redis, { limits: () => limits, clock });
  const intake = { maxFiles: 3, maxBytes: limits.maxBytes, maxRequestBytes: 2_000_000 };
  return {
    uploads,
    attachments: createAttachmentIntake({
      uploads,
      resolve: (account) => Promise.resolve(account),
      limits: () => intake,
    }),
    artifacts: createArtifactStore(redis, { limits: () => limits, clock }),
    results: createResultStore(redis, { clock }),
  };
}
