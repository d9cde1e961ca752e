import { z } from "zod";
import { OutsideError } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Clock } from "../../kernel/ports.ts";
import { Secret } from "../../kernel/secret.ts";
import { parseJson } from "../../kernel/json.ts";
import type { CredentialStore } from "../../store/credentials.ts";

/** What is kept apart from each other, because a credential has a size limit. */
type Part = "own" | "client" | "tokens" | "sign-in";
const PARTS: readonly Part[] = ["own", "client", "tokens", "sign-in"];

/** Where people's secrets are kept, encrypted. */
export type McpCredentials = Pick<CredentialStore, "set" | "reveal" | "delete">;

/** One person's secrets for one server. They are good for the address they were stored with and for no other. */
export interface ServerSecrets {
  /** Throws `OutsideError` when what is stored cannot be opened. */
  read<Shape extends z.ZodType>(part: Part, shape: Shape): Promise<z.output<Shape> | undefined>;
  write(part: Part, value: unknown): Promise<void>;
  forget(part: Part): Promise<void>;
  forgetAll(): Promise<void>;
}

export function createServerSecrets(options: {
  readonly credentials: McpCredentials;
  readonly workspaceId: WorkspaceId;
  readonly server: string;
  readonly url: string;
  readonly clock: Clock;
}): ServerSecrets {
  const { credentials, workspaceId, server, url, clock } = options;
  const nameOf = (part: Part) => `mcp.${server}.${part}`;
  const forget = async (part: Part) => {
    await credentials.delete(workspaceId, nameOf(part));
  };
  return {
    async read(part, shape) {
      const stored = await credentials.reveal(workspaceId, nameOf(part));
      if (stored === undefined) return undefined;
      const kept = storedSchema.safeParse(parseJson(stored.reveal()));
      if (kept.success && kept.data.url !== url) return undefined;
      const value = shape.safeParse(kept.data?.value);
      if (value.success) return value.data;
      throw new OutsideError(
        `The stored sign-in for the MCP server "${server}" is damaged; remove the server and add it anew`,
        { code: "garbled" },
      );
    },
    write: (part, value) =>
      credentials.set(workspaceId, {
        name: nameOf(part),
        value: new Secret(JSON.stringify({ url, value })),
        at: clock.now(),
      }),
    forget,
    async forgetAll() {
      await Promise.all(PARTS.map(forget));
    },
  };
}

const storedSchema = z.object({ url: z.string(), value: z.unknown() });
