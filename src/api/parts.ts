import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AttachmentIntake } from "../agent/attachment-intake.ts";
import type { Door } from "../agent/door-contract.ts";
import type { Privacy } from "../agent/privacy/forget.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Clock, Log, NewId } from "../kernel/ports.ts";
import type { Schedules } from "../kernel/schedules.ts";
import type { Webhook } from "../platforms/listening.ts";
import type { ApiKeyScope, ApiKeyStore } from "../store/api-keys.ts";
import type { ArtifactStore } from "../store/artifacts.ts";
import type { LinkSigner } from "../store/artifact-links.ts";
import type { RedisConnection } from "../store/connection.ts";
import type { CredentialStore } from "../store/credentials.ts";
import type { LinkStore } from "../store/links.ts";
import type { PairingStore } from "../store/pairings.ts";
import type { MemoryStore } from "../store/memory.ts";
import type { TicketStore } from "../store/tickets.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tool } from "../tools/contract.ts";
import type { LiveFeed } from "./live-feed.ts";

/** Everything the API shows or asks. */
export interface ApiParts {
  readonly door: Door;
  readonly keys: ApiKeyStore;
  readonly redis: RedisConnection;
  readonly live: LiveFeed;
  readonly schedules: Schedules;
  /** Who may talk to the bot on chat platforms. */
  readonly pairings: PairingStore;
  /** What chat platforms call; each proves by itself who it is. */
  readonly webhooks?: readonly Webhook[];
  readonly memory: Pick<MemoryStore, "list">;
  /** Whose workspace an account stands for. */
  readonly links: Pick<LinkStore, "resolve">;
  readonly privacy: Privacy;
  /** What links in answers let their readers do once. */
  readonly tickets: Pick<TicketStore, "look" | "use">;
  /** What people connect; absent where nothing can be encrypted. */
  readonly credentials?: Pick<CredentialStore, "list" | "set" | "delete">;
  readonly artifacts: Pick<ArtifactStore, "find" | "list" | "read" | "delete">;
  /** Makes and checks the links to single artifacts. */
  readonly fileLinks: LinkSigner;
  /** Keeps the files that come with messages. */
  readonly attachments: AttachmentIntake;
  /** The people who may decide about everybody's approvals, as configured now. */
  readonly admins: () => readonly string[];
  /** The tools as they are now. */
  readonly tools: () => Promise<readonly Pick<Tool, "name" | "description" | "effect" | "parameters">[]>;
  /** Whether this process can work, part by part: true, or what is wrong. Readable by everyone. */
  readonly ready: () => Promise<Readonly<Record<string, true | string>>>;
  /** What does not keep the process from working but should be known, part by part. Readable by everyone. */
  readonly notes?: () => Readonly<Record<string, string>>;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly config: {
    /** The address the server listens on. */
    readonly host: string;
    /** Whether the configuration holds an admin key, so that nothing is open to everyone. */
    readonly hasAdminKey: boolean;
  };
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Answers GET requests outside the API, such as `/` and the files it needs; undefined means that there is no such file. */
  readonly page?: (request: Request) => Response | undefined | Promise<Response | undefined>;
  readonly limits?: Partial<ApiLimits>;
}

/** What one process allows itself. */
export interface ApiLimits {
  /** How many event streams may be open in this process. */
  readonly maxStreams: number;
  /** How often an event stream shows that it is alive. */
  readonly heartbeatMs: number;
  /** How long `/readyz` waits for its checks. */
  readonly readyMs: number;
}

/** Who asks. A key bound to a person acts for that person only. */
export interface Caller {
  readonly id: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly userId?: WorkspaceId;
  /** The workspace the person's account is linked to. */
  readonly linkedTo?: WorkspaceId;
}

/** What the server hands in with a request, and what the steps before a route leave for it. */
export interface ApiEnv {
  Bindings: {
    /** Aborts when the server closes: streams end. */
    readonly closing?: AbortSignal;
  };
  Variables: {
    caller: Caller;
    /** The presented key; "" when none is needed. */
    bearer: string;
    body: Uint8Array;
    /** Unique for this request, and the same for every repetition with its `Idempotency-Key`. */
    operation: string;
  };
}

/** The application: `app.request` and `listen` serve it. */
export type Api = OpenAPIHono<ApiEnv>;
