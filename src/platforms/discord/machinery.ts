import type { AdapterParts } from "../parts.ts";
import { createApi } from "./api.ts";
import { createChannelDirectory } from "./channels.ts";
import { createFileFetcher } from "./files.ts";
import { createListener } from "./listen.ts";
import type { DiscordOptions } from "./options.ts";
import { createPresence } from "./presence.ts";
import { createSender } from "./send.ts";

/** Everything of the adapter that needs Discord's library. */
export type Machinery = ReturnType<typeof createMachinery>;

/** Puts the parts together; nothing is connected or asked yet. */
export function createMachinery(options: DiscordOptions, given: AdapterParts) {
  const api = createApi(options);
  const parts = { ...given, api, channels: createChannelDirectory(api) };
  return {
    send: createSender(parts),
    presence: createPresence(parts),
    listen: createListener({ ...parts, account: options, threads: options.threads }),
    fetchFile: createFileFetcher({ account: options, api, fetch: options.fetch }),
    close: () => api.close(),
  };
}
