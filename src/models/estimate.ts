import type { ModelRequest } from "./contract.ts";

/** About how many tokens an image takes; providers scale large ones down to about this. */
export const IMAGE_TOKENS = 1_000;

/** About how many tokens a request has. The bytes of an image are no text. */
export function estimateRequest({ messages, tools }: Pick<ModelRequest, "messages" | "tools">): number {
  let images = 0;
  const words = messages.map((message) => {
    if (message.role !== "user" || message.images === undefined) return message;
    images += message.images.length;
    const { images: _images, ...rest } = message;
    return rest;
  });
  return images * IMAGE_TOKENS + estimateTokens(JSON.stringify([words, tools]));
}

/**
 * About how many tokens a text has, at four bytes of UTF-8 per token. An estimate: close for English, 10 to 40 % off for
 * other languages and for code. Good for budgets and trimming, never for an invoice.
 */
export function estimateTokens(text: string): number {
  // Bytes instead of characters, because scripts that use three bytes per character also use more tokens per character.
  return Math.ceil(Buffer.byteLength(text, "utf8") / 4);
}
