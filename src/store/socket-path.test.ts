import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { chooseSocketPath, makePrivateFolder } from "./socket-path.ts";

test.each([
  ["linux", 107, "beside"],
  ["linux", 108, "temporary"],
  ["darwin", 103, "beside"],
  ["darwin", 104, "temporary"],
] as const)("on %s a socket path of %i bytes goes %s", (platform, bytes, place) => {
  const home = `/${"x".repeat(bytes - "//redis.sock".length)}`;
  const chosen = chooseSocketPath(home, { platform, tmp: "/tmp", uid: 1000 });
  if (place === "beside") expect(chosen).toBe(`${home}/redis.sock`);
  else expect(chosen).toMatch(/^\/tmp\/parley-1000-[0-9a-f]{16}\/redis\.sock$/);
});

test("a folder that others may write to is refused for the socket", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-socket-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  makePrivateFolder(join(folder, "redis.sock"));
  chmodSync(folder, 0o777);
  expect(() => makePrivateFolder(join(folder, "redis.sock"))).toThrow("open to others");
});
