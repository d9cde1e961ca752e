import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { Secret } from "../kernel/secret.ts";

/** A value only the holder of the key can read, and only under the label it was sealed for. Bytes are base64. */
export interface Sealed {
  /** Names the key without telling anything about it. */
  readonly key: string;
  readonly nonce: string;
  readonly text: string;
}

/** A key made from a master key, for AES-256-GCM. */
export interface SealingKey {
  readonly id: string;
  /** `label` is bound to the sealed value but not part of it: whoever opens it must give the same. */
  seal(value: Secret, label: string): Sealed;
  /** Undefined when the value was changed or sealed for another label. Call it only with a value this key sealed. */
  open(sealed: Sealed, label: string): Uint8Array | undefined;
}

/** Derives the key for one `purpose`; another purpose gives a key that has nothing to do with it. */
export function createSealingKey(masterKey: Secret, purpose: string): SealingKey {
  const key = derive(masterKey, `${purpose} key`, 32);
  const id = derive(masterKey, `${purpose} key id`, 6).toString("hex");
  return {
    id,
    seal(value, label) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(label));
      const text = Buffer.concat([cipher.update(value.reveal(), "utf8"), cipher.final(), cipher.getAuthTag()]);
      return { key: id, nonce: nonce.toString("base64"), text: text.toString("base64") };
    },
    open(sealed, label) {
      const nonce = Buffer.from(sealed.nonce, "base64");
      const text = Buffer.from(sealed.text, "base64");
      if (nonce.length !== NONCE_BYTES || text.length < TAG_BYTES) return undefined;
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(label))
        .setAuthTag(text.subarray(-TAG_BYTES));
      const opened = decipher.update(text.subarray(0, -TAG_BYTES));
      try {
        return Buffer.concat([opened, decipher.final()]);
      } catch {
        // The tag does not fit. Nothing that was deciphered may be used.
        return undefined;
      }
    },
  };
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function derive(masterKey: Secret, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", masterKey.reveal(), "parley", purpose, bytes));
}
