import {
  Client,
  GatewayDispatchEvents as Dispatch,
  GatewayIntentBits,
  Options,
  SimpleShardingStrategy,
  type IShardingStrategy,
} from "discord.js";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { restOptions } from "./api.ts";
import type { DiscordAccount } from "./options.ts";
import { dispatchSchema } from "./wire.ts";

export interface GatewayClientParts {
  readonly account: DiscordAccount;
  /** After its abort nothing connects any more. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Told of every event in its order. Must not throw. */
  readonly onEvent: (name: string, data: unknown) => void;
}

/**
 * What the library has to know for itself. Everything else is read by us alone: the library throws on events in a form
 * that it does not expect, from where nobody can catch it, and that would end the process.
 */
const FOR_THE_LIBRARY = new Set<string>([Dispatch.Ready, Dispatch.Resumed, Dispatch.GuildCreate, Dispatch.GuildDelete]);

/** Creates the library's client for one connection to the gateway; `login` connects. */
export function createGatewayClient({ account, signal, log, onEvent }: GatewayClientParts): Client {
  return new Client({
    intents: [
      GatewayIntentBits.Guilds,
      GatewayIntentBits.GuildMessages,
      GatewayIntentBits.DirectMessages,
      GatewayIntentBits.MessageContent,
    ],
    rest: restOptions(account),
    makeCache: Options.cacheWithLimits({ ...Options.DefaultMakeCacheSettings, GuildMemberManager: 0 }),
    ws: { buildStrategy },
  });

  function buildStrategy(manager: ConstructorParameters<typeof SimpleShardingStrategy>[0]): IShardingStrategy {
    const { options } = manager;
    const retrieve = options.retrieveSessionInfo.bind(options);
    // A connection that is being made again when the client is destroyed would come up all the same: the library asks for
    // its session first, and gets no answer any more.
    options.retrieveSessionInfo = (shard) => (signal.aborted ? new Promise(() => {}) : retrieve(shard));
    manager.emit = new Proxy(manager.emit.bind(manager), {
      apply(emit, self, given: [event: unknown, payload: unknown]) {
        const [event, payload] = given;
        const told = event === "dispatch" ? dispatchSchema.safeParse(payload).data : undefined;
        if (told !== undefined) {
          const { t, d } = told.data;
          if (!signal.aborted) onEvent(t, d);
          if (!FOR_THE_LIBRARY.has(t)) return true;
        }
        try {
          return Reflect.apply(emit, self, given) as boolean;
        } catch (error) {
          log.warn(
            { event: told?.data.t ?? event, error: describeError(error) },
            "the Discord library cannot read an event",
          );
          return true;
        }
      },
    });
    return new SimpleShardingStrategy(manager);
  }
}
