import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { InvalidId, parseWorkspaceId, type WorkspaceId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";

/** Makes and checks tokens that let whoever holds them read one artifact for a while. */
export interface LinkSigner {
  /** Equal for some time, so that a page shown twice names the same address. Works `lifetimeMs` at least, twice that at most. */
  sign(workspaceId: WorkspaceId, artifactId: string): string;
  /** Whose artifact it is; undefined for a token that is wrong, over, or for another artifact: nobody is told which. */
  verify(token: string, artifactId: string): WorkspaceId | undefined;
}

/** One secret for the whole installation, made at first use. Deleting it ends every link at the next start. */
const KEY = "parley:link-key";

const TOKEN = /^([0-9a-z]{1,12})\.([A-Za-z0-9_-]{1,1100})\.([A-Za-z0-9_-]{43})$/;

/** Signs with a secret that Redis keeps, so that every process of an installation takes the links of all others. */
export async function openLinkSigner(
  redis: RedisConnection,
  { lifetimeMs, clock }: { readonly lifetimeMs: () => number; readonly clock: Pick<Clock, "now"> },
): Promise<LinkSigner> {
  await redis.set(KEY, randomBytes(32), "NX");
  const secret = await redis.getBuffer(KEY);
  if (secret === null) throw new Error(`${KEY} was deleted while it was being read`);

  const macOf = (workspace: string, artifactId: string, ends: string): Buffer =>
    createHmac("sha256", secret)
      .update(JSON.stringify(["artifact", workspace, artifactId, ends]))
      .digest();

  return {
    sign(workspaceId, artifactId) {
      const lifetime = lifetimeMs();
      const ends = (Math.floor(clock.now() / lifetime) * lifetime + 2 * lifetime).toString(36);
      const mac = macOf(workspaceId, artifactId, ends);
      return `${ends}.${Buffer.from(workspaceId).toString("base64url")}.${mac.toString("base64url")}`;
    },
    verify(token, artifactId) {
      const [, ends = "", encoded = "", given = ""] = TOKEN.exec(token) ?? [];
      const workspace = Buffer.from(encoded, "base64url").toString();
      const right = macOf(workspace, artifactId, ends);
      const mac = Buffer.from(given, "base64url");
      if (mac.length !== right.length || !timingSafeEqual(mac, right)) return undefined;
      return Number.parseInt(ends, 36) > clock.now() ? parseOrNothing(workspace) : undefined;
    },
  };
}

function parseOrNothing(workspace: string): WorkspaceId | undefined {
  try {
    return parseWorkspaceId(workspace);
  } catch (error) {
    if (error instanceof InvalidId) return undefined;
    throw error;
  }
}
