import type { ClientOptions } from "openai";

/** What every client of an OpenAI-compatible API here has in common; deadlines and retries are the caller's. */
export function openaiOptions(baseURL: string, apiKey: string) {
  return {
    baseURL,
    // The library insists on a key; a server that wants none is sent no header at all.
    apiKey: apiKey === "" ? "none" : apiKey,
    ...(apiKey === "" ? { defaultHeaders: { Authorization: null } } : {}),
    // Anything left undefined would be read from the environment behind our back.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: "off",
    maxRetries: 0,
  } satisfies ClientOptions;
}
