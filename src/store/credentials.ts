import { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";
import { createSealingKey, type SealingKey } from "./seal.ts";

/** A credential as it may be shown. */
export interface CredentialEntry {
  readonly name: string;
  /** When it was stored, in milliseconds since 1970; 0 when the entry is damaged. */
  readonly at: number;
}

/** The tokens and passwords people connect, encrypted. No call reaches another person's credentials. */
export interface CredentialStore {
  /** Stores or replaces a credential; safe to repeat. Throws `InvalidInput` that names the limit when one is passed. */
  set(
    workspaceId: WorkspaceId,
    credential: { readonly name: string; readonly value: Secret; readonly at: number },
  ): Promise<void>;
  /** The names, in order, never the values. */
  list(workspaceId: WorkspaceId): Promise<readonly CredentialEntry[]>;
  /** Tells whether there was such a credential. */
  delete(workspaceId: WorkspaceId, name: string): Promise<boolean>;
  /**
   * The value itself, for the call that sends it; never for a model or a log. Throws `OutsideError` that names the
   * credential when it was encrypted with another master key (`unauthorized`) or is damaged (`garbled`).
   */
  reveal(workspaceId: WorkspaceId, name: string): Promise<Secret | undefined>;
  /** Forgets every credential of a person. */
  eraseCredentials(workspaceId: WorkspaceId): Promise<void>;
}

const MIN_MASTER_KEY_CHARS = 16;
const MAX_NAME_CHARS = 64;
const MAX_VALUE_BYTES = 8 * 1024;
const MAX_CREDENTIALS = 100;

const setCredential = defineScript({
  file: new URL("./scripts/set-credential.lua", import.meta.url),
  keys: ["credentials"],
  args: ["name", "sealed", "most"],
  reply: z.enum(["stored", "full"]),
});

/**
 * Keeps credentials in Redis, one hash for each person. `previousKeys` are master keys used before: what they encrypted
 * stays readable, new values get the current key. Throws `InvalidInput` for a master key that is easy to guess.
 */
export function createCredentialStore(
  redis: RedisConnection,
  options: { readonly masterKey: Secret; readonly previousKeys?: readonly Secret[] },
): CredentialStore {
  const current = sealingKeyOf(options.masterKey);
  const keys = [current, ...(options.previousKeys ?? []).map(sealingKeyOf)];

  return {
    async set(workspaceId, { name, value, at }) {
      checkCredential(name, value);
      const entry: z.input<typeof entrySchema> = { ...current.seal(value, labelOf(workspaceId, name)), at };
      const reply = await setCredential.run(
        redis,
        { credentials: hashOf(workspaceId) },
        { name, sealed: JSON.stringify(entry), most: MAX_CREDENTIALS },
      );
      if (reply === "full")
        throw refuse(`There are ${MAX_CREDENTIALS} credentials already; delete one to store ${quote(name)}`);
    },

    async list(workspaceId) {
      const entries = Object.entries(await redis.hgetall(hashOf(workspaceId)));
      return entries
        .map(([name, text]) => ({ name, at: parseEntry(text)?.at ?? 0 }))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },

    async delete(workspaceId, name) {
      return (await redis.hdel(hashOf(workspaceId), name)) === 1;
    },

    async reveal(workspaceId, name) {
      const text = await redis.hget(hashOf(workspaceId), name);
      return text === null ? undefined : open(name, text, labelOf(workspaceId, name), keys);
    },

    async eraseCredentials(workspaceId) {
      await redis.del(hashOf(workspaceId));
    },
  };
}

function sealingKeyOf(masterKey: Secret): SealingKey {
  if (masterKey.reveal().length < MIN_MASTER_KEY_CHARS) {
    throw new InvalidInput(
      `The master key (PARLEY_MASTER_KEY) needs at least ${MIN_MASTER_KEY_CHARS} characters; make one with "openssl rand -base64 32"`,
    );
  }
  return createSealingKey(masterKey, "credentials");
}

function hashOf(workspaceId: WorkspaceId): string {
  return `{ws:${workspaceId}}:credentials`;
}

// An entry copied to another person or another name does not open there.
function labelOf(workspaceId: WorkspaceId, name: string): string {
  return JSON.stringify(["credential", workspaceId, name]);
}

const FITTING_NAME = /^[A-Za-z0-9_.-]+$/;

/** Whether a credential may have this name. */
export function isCredentialName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && FITTING_NAME.test(name);
}

function checkCredential(name: string, value: Secret): void {
  if (!isCredentialName(name))
    throw refuse(
      `The credential name ${quote(name.slice(0, MAX_NAME_CHARS))} must be 1 to ${MAX_NAME_CHARS} letters, digits, "_", "." or "-"`,
    );
  const bytes = Buffer.byteLength(value.reveal());
  if (bytes === 0) throw refuse(`The credential ${quote(name)} is empty`);
  if (bytes > MAX_VALUE_BYTES)
    throw refuse(`The credential ${quote(name)} has ${bytes} bytes; at most ${MAX_VALUE_BYTES} are allowed`);
}

function refuse(message: string): InvalidInput {
  return new InvalidInput(message, { code: "credential_limit" });
}

function quote(name: string): string {
  return JSON.stringify(name);
}

const entrySchema = z.object({ key: z.string(), nonce: z.string(), text: z.string(), at: z.number() });

function parseEntry(text: string): z.output<typeof entrySchema> | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function open(name: string, text: string, label: string, keys: readonly SealingKey[]): Secret {
  const entry = parseEntry(text);
  const key = keys.find(({ id }) => id === entry?.key);
  if (entry !== undefined && key === undefined) {
    throw new OutsideError(
      `The credential ${quote(name)} was encrypted with another master key; set that PARLEY_MASTER_KEY again or store the credential anew`,
      { code: "unauthorized" },
    );
  }
  const value = entry === undefined ? undefined : key?.open(entry, label);
  if (value === undefined)
    throw new OutsideError(`The credential ${quote(name)} is damaged; delete it or store it anew`, { code: "garbled" });
  return new Secret(Buffer.from(value).toString("utf8"));
}
