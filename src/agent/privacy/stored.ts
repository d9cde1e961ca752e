import type { WorkspaceId } from "../../kernel/ids.ts";
import type { PersonalData } from "../../kernel/personal-data.ts";
import type { ApiKeyStore } from "../../store/api-keys.ts";
import type { BudgetStore } from "../../store/budgets.ts";
import type { CredentialStore } from "../../store/credentials.ts";
import type { MemoryStore } from "../../store/memory.ts";

/** What a person asked to be remembered. Of secrets the export holds the keys only. */
export function createMemoryData(memory: Pick<MemoryStore, "list" | "eraseMemory">): PersonalData {
  return {
    name: "memory",
    async collect(person) {
      const { entries, unreadable } = await memory.list(person);
      return {
        entries: entries.map(({ key, value, secret, at }) => ({
          key,
          ...(secret ? { secret } : { value }),
          at: new Date(at).toISOString(),
        })),
        ...(unreadable.length === 0 ? {} : { unreadable }),
      };
    },
    async count({ persons }) {
      const lists = await Promise.all(persons.map((person) => memory.list(person)));
      const all = lists.reduce((sum, { entries, unreadable }) => sum + entries.length + unreadable.length, 0);
      return { "memory entries": all };
    },
    async erase({ persons }) {
      for (const person of persons) await memory.eraseMemory(person);
      return { counts: {} };
    },
  };
}

/** The names of what a person connected, and when. */
export function createCredentialData(credentials: Pick<CredentialStore, "list" | "eraseCredentials">): PersonalData {
  return {
    name: "credentials",
    async collect(person) {
      return (await credentials.list(person)).map(({ name, at }) => ({ name, at: new Date(at).toISOString() }));
    },
    async count({ persons }) {
      const lists = await Promise.all(persons.map((person) => credentials.list(person)));
      return { credentials: lists.reduce((sum, list) => sum + list.length, 0) };
    },
    async erase({ persons }) {
      for (const person of persons) await credentials.eraseCredentials(person);
      return { counts: {} };
    },
  };
}

/** MCP servers a person added. */
export interface PersonServers {
  servers(person: WorkspaceId): Promise<readonly { readonly name: string; readonly url: string }[]>;
  erase(person: WorkspaceId): Promise<void>;
}

/** The MCP servers a person added, without what they sign in with. */
export function createServerData(mcp: PersonServers): PersonalData {
  return {
    name: "mcp_servers",
    collect: async (person) => mcp.servers(person),
    async count({ persons }) {
      const lists = await Promise.all(persons.map((person) => mcp.servers(person)));
      return { "MCP servers": lists.reduce((sum, list) => sum + list.length, 0) };
    },
    async erase({ persons }) {
      for (const person of persons) await mcp.erase(person);
      return { counts: {} };
    },
  };
}

/** What a person spent. They cannot take that back themselves: it counts toward limits. */
export function createBudgetData(budgets: Pick<BudgetStore, "counted" | "erase">): PersonalData {
  return {
    name: "budgets",
    collect: (person) => budgets.counted({ workspaceId: person }),
    async count({ persons, by }) {
      if (by === "person") return {};
      const all = await Promise.all(persons.map((workspaceId) => budgets.counted({ workspaceId })));
      return { "counts of what was spent": all.reduce((sum, counts) => sum + counts.length, 0) };
    },
    async erase({ persons, by }) {
      if (by === "person")
        return {
          counts: {},
          kept: ["How much you have used this day and month, until 40 days after: it counts toward your limits."],
        };
      for (const workspaceId of persons) await budgets.erase({ workspaceId });
      return { counts: {} };
    },
  };
}

/** The API keys an administrator bound to a person. They open doors, so who made them takes them back. */
export function createKeyData(keys: Pick<ApiKeyStore, "list">): PersonalData {
  const boundTo = async (person: WorkspaceId) => (await keys.list()).filter(({ userId }) => userId === person);
  return {
    name: "api_keys",
    async collect(person) {
      return (await boundTo(person)).map(({ id, name, scopes, createdAt }) => ({
        id,
        name,
        scopes,
        at: new Date(createdAt).toISOString(),
      }));
    },
    count: () => Promise.resolve({}),
    async erase({ persons }) {
      const bound = (await Promise.all(persons.map(boundTo))).flat().map(({ name }) => name);
      if (bound.length === 0) return { counts: {} };
      return {
        counts: {},
        kept: [`API keys that an administrator bound to you, until they are revoked: ${bound.join(", ")}.`],
      };
    },
  };
}
