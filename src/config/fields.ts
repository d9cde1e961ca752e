import { z } from "zod";
import { Secret } from "../kernel/secret.ts";

/** Text with something in it. */
export function text() {
  return z.string().regex(/\S/, "must not be empty");
}

/** A value that is never shown; without white space, which no key or token has. */
export function secret(description: string, { minChars = 1 }: { readonly minChars?: number } = {}) {
  return z
    .string()
    .regex(/^\S+$/, "must not be empty or contain white space")
    .min(minChars, `must have at least ${minChars} characters`)
    .transform(asSecret)
    .meta({ description, writeOnly: true });
}

/** Hides a value that was read. */
export function asSecret(value: string): Secret {
  return new Secret(value);
}

/** The address of something on the web, without a user name or password in it. */
export function webUrl() {
  return z
    .url({ protocol: /^https?$/, error: "expected a URL that starts with http:// or https://" })
    .refine((url) => !/^[^/]*\/\/[^/?#]*@/.test(url), "must not contain a user name or password");
}
