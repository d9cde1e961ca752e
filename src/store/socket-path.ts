import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { OutsideError } from "../kernel/errors.ts";

/**
 * The socket beside the data, or in a private temporary folder named after it when that path would not fit into what
 * the operating system allows for socket addresses.
 */
export function chooseSocketPath(
  home: string,
  { platform, tmp, uid }: { platform: NodeJS.Platform; tmp: string; uid: number },
): string {
  const beside = join(home, "redis.sock");
  const longest = platform === "linux" ? 107 : 103;
  if (Buffer.byteLength(beside) <= longest) return beside;
  const hash = createHash("sha256").update(home).digest("hex").slice(0, 16);
  return join(tmp, `parley-${uid}-${hash}`, "redis.sock");
}

/** Creates the folder of a socket that lies outside the data, and refuses one in which somebody else could put theirs. */
export function makePrivateFolder(socketPath: string): void {
  const folder = dirname(socketPath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o077) !== 0)
    throw new OutsideError(
      `${folder}, where the socket of Redis would go, belongs to somebody else or is open to others`,
      {
        code: "forbidden",
      },
    );
}
