import type { Clock } from "../../kernel/ports.ts";
import type { SlackApi } from "./api.ts";

/** People's names, remembered for a while. */
export interface People {
  /** The names of these users as far as they can be had quickly; who is missing is called by the id. */
  names(users: readonly string[]): Promise<(user: string) => string | undefined>;
  isBot(user: string): boolean;
}

interface Person {
  readonly name: string | undefined;
  readonly isBot: boolean;
  readonly until: number;
}

const KNOWN_MS = 3_600_000;
const UNKNOWN_MS = 60_000;
const MOST = 5_000;

/** Creates the names of one workspace. A name that cannot be had is not asked for again for a minute. */
export function createPeople(api: SlackApi, clock: Clock): People {
  const known = new Map<string, Person>();
  const asking = new Map<string, Promise<void>>();

  async function ask(user: string): Promise<void> {
    let found: Person = { name: undefined, isBot: false, until: clock.now() + UNKNOWN_MS };
    try {
      const { user: info } = await api.call("users.info", { user }, { quick: true });
      const names = [info.profile?.display_name, info.profile?.real_name, info.real_name, info.name];
      const name = names.find((name) => name !== undefined && name !== "");
      found = { name, isBot: info.is_bot === true, until: clock.now() + KNOWN_MS };
    } catch {
      // A name is not worth an event: the person is called by the id until it can be had.
    }
    known.delete(user);
    known.set(user, found);
    const oldest = known.keys().next().value;
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  }

  function learn(user: string): Promise<void> {
    if ((known.get(user)?.until ?? 0) > clock.now()) return Promise.resolve();
    const asked = asking.get(user) ?? ask(user).finally(() => asking.delete(user));
    asking.set(user, asked);
    return asked;
  }

  return {
    names: async (users) => {
      await Promise.all([...new Set(users)].filter(isUser).map(learn));
      return (user) => known.get(user)?.name;
    },
    isBot: (user) => known.get(user)?.isBot === true,
  };
}

/** Apps without a user of their own speak under ids of another kind. */
const isUser = (id: string): boolean => /^[UW]/.test(id);
