import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "test/setup/global-redis.ts",
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What is waited for comes, or the test is over: a second is nothing on a machine with much to do.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "all",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/crash/**"],
        },
      },
      {
        extends: true,
        test: {
          // They start and kill whole programs: side by side, or beside the others, they would measure the machine.
          name: "crash",
          include: ["test/crash/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
