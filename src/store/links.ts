import { createHash, randomInt } from "node:crypto";
import { z } from "zod";
import { parseWorkspaceId, type WorkspaceId } from "../kernel/ids.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** What came of joining by a code; `joined` also when the same account used the same code before. */
export type JoinReply =
  | { readonly kind: "joined"; readonly workspace: WorkspaceId }
  /** It belongs to this workspace already. */
  | { readonly kind: "already"; readonly workspace: WorkspaceId }
  /** It is linked to another workspace, which it has to leave first. */
  | { readonly kind: "elsewhere"; readonly workspace: WorkspaceId }
  /** The code is this account's own. */
  | { readonly kind: "own" }
  /** Other accounts are linked to this one: it cannot become a part of another itself. */
  | { readonly kind: "has-links" }
  | { readonly kind: "full" }
  /** No such code, or it is used up or too old; the three look alike to who guesses. */
  | { readonly kind: "unknown" }
  /** Too many wrong codes in the last ten minutes. */
  | { readonly kind: "slow-down" };

/** An account that belongs to another account's workspace. */
export interface LinkedAccount {
  readonly identity: WorkspaceId;
  /** When it was linked, milliseconds since 1970. */
  readonly at: number;
}

/**
 * Which accounts are one person. An account stands for its own workspace or for one other account's; that one always
 * stands for itself, so there are neither chains nor circles.
 */
export interface LinkStore {
  /** The workspace an account stands for: its own unless it is linked. */
  resolve(identity: WorkspaceId): Promise<WorkspaceId>;
  /** A new one-time code by which another account joins this workspace, good for ten minutes; the one before ends. */
  issue(workspace: WorkspaceId): Promise<string>;
  /** Links an account by a code. Safe to repeat. */
  join(identity: WorkspaceId, code: string, at: number): Promise<JoinReply>;
  list(workspace: WorkspaceId): Promise<readonly LinkedAccount[]>;
  /** Lets an account stand for itself again. Tells whether it was linked to this workspace. */
  remove(workspace: WorkspaceId, identity: WorkspaceId): Promise<boolean>;
}

/** How many accounts may be linked to one workspace. */
export const MAX_LINKED = 10;
/** How long a code is good, milliseconds. */
const CODE_MS = 10 * 60_000;
const MAX_WRONG = 5;
// No letter or digit that looks like another one; 32 of them, so ten hold 50 bits.
const SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_SIGNS = 10;

const issueCode = defineScript({
  file: new URL("./scripts/issue-link-code.lua", import.meta.url),
  keys: ["codes", "current"],
  args: ["workspace", "hash", "keepMs"],
  reply: z.enum(["issued"]),
});

const joinByCode = defineScript({
  file: new URL("./scripts/join-link.lua", import.meta.url),
  keys: ["of", "code", "tries"],
  args: ["identity", "at", "most", "wrong", "keepMs"],
  reply: z.tuple([
    z.enum(["joined", "already", "elsewhere", "own", "has-links", "full", "unknown", "slow-down"]),
    z.string(),
  ]),
});

const removeLink = defineScript({
  file: new URL("./scripts/remove-link.lua", import.meta.url),
  keys: ["of", "linked"],
  args: ["identity", "workspace"],
  reply: z.enum(["removed", "none"]),
});

/** Keeps links in Redis under `{links}`, where one step sees all of them. */
export function createLinkStore(redis: RedisConnection): LinkStore {
  return {
    async resolve(identity) {
      const workspace = await redis.hget(OF, identity);
      return workspace === null ? identity : parseWorkspaceId(workspace);
    },
    async issue(workspace) {
      const code = Array.from({ length: CODE_SIGNS }, () => SIGNS[randomInt(SIGNS.length)]).join("");
      await issueCode.run(
        redis,
        { codes: codeKey(code), current: `{links}:current:${workspace}` },
        { workspace, hash: hashOf(code), keepMs: CODE_MS },
      );
      return `${code.slice(0, CODE_SIGNS / 2)}-${code.slice(CODE_SIGNS / 2)}`;
    },
    async join(identity, typed, at) {
      const code = typed.toUpperCase().replaceAll(/[\s-]/g, "");
      const [kind, workspace] = await joinByCode.run(
        redis,
        { of: OF, code: codeKey(code), tries: `{links}:tries:${identity}` },
        { identity, at, most: MAX_LINKED, wrong: MAX_WRONG, keepMs: CODE_MS },
      );
      return kind === "joined" || kind === "already" || kind === "elsewhere"
        ? { kind, workspace: parseWorkspaceId(workspace) }
        : { kind };
    },
    async list(workspace) {
      const linked = Object.entries(await redis.hgetall(linkedKey(workspace)));
      return linked
        .map(([identity, at]) => ({ identity: parseWorkspaceId(identity), at: Number(at) }))
        .toSorted((one, other) => one.at - other.at || (one.identity < other.identity ? -1 : 1));
    },
    async remove(workspace, identity) {
      const reply = await removeLink.run(redis, { of: OF, linked: linkedKey(workspace) }, { identity, workspace });
      return reply === "removed";
    },
  };
}

const OF = "{links}:of";

function linkedKey(workspace: WorkspaceId): string {
  return `{links}:to:${workspace}`;
}

function codeKey(code: string): string {
  return `{links}:code:${hashOf(code)}`;
}

function hashOf(code: string): string {
  return createHash("sha256").update(code).digest("hex");
}
