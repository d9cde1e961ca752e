import { createHash } from "node:crypto";
import { z } from "zod";
import { InvalidInput } from "../kernel/errors.ts";
import type { ConversationId, RunId, WorkspaceId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { createShelf, type ShelfFile, type ShelfLimits } from "./shelf.ts";

/** A file a run made. Times are milliseconds since 1970. */
export interface Artifact {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly runId?: RunId | undefined;
  readonly conversationId?: ConversationId | undefined;
}

/** What is to become an artifact. */
export interface NewArtifact {
  /** The same on every try of the same creation: it is created once. */
  readonly key: string;
  readonly name: string;
  /** Found by the ending of the name when absent. */
  readonly mediaType?: string | undefined;
  readonly content: Uint8Array;
  readonly runId?: RunId;
  readonly conversationId?: ConversationId;
}

/** The files of each person. No call reaches another person's. */
export interface ArtifactStore {
  /** Safe to repeat with the same key. Throws `InvalidInput` for an unfit name or type and when a limit is passed. */
  create(workspaceId: WorkspaceId, artifact: NewArtifact): Promise<Artifact>;
  find(workspaceId: WorkspaceId, id: string): Promise<Artifact | undefined>;
  /** The whole content; undefined when there is no such artifact any more. */
  read(workspaceId: WorkspaceId, id: string): Promise<Buffer | undefined>;
  /** All artifacts, oldest first. */
  list(workspaceId: WorkspaceId): Promise<readonly Artifact[]>;
  /** Tells whether there was such an artifact. */
  delete(workspaceId: WorkspaceId, id: string): Promise<boolean>;
  /** Deletes all artifacts of a person. */
  eraseArtifacts(workspaceId: WorkspaceId): Promise<void>;
}

/**
 * Told of every artifact after it is kept: at least once, with the same id when its creation is repeated after a crash.
 * Must not throw and must not keep the caller waiting.
 */
type OnArtifactCreated = (workspaceId: WorkspaceId, artifact: Artifact) => void;

/** Keeps artifacts in Redis until they are deleted or their time is over. */
export function createArtifactStore(
  redis: RedisConnection,
  options: {
    readonly limits: () => ShelfLimits;
    readonly clock: Pick<Clock, "now">;
    readonly onCreated?: OnArtifactCreated;
  },
): ArtifactStore {
  const { limits, clock, onCreated } = options;
  const shelf = createShelf(redis, { kind: "artifact", about: aboutSchema, limits, whenFull: "refuse", clock });
  return {
    async create(workspaceId, { key, name: given, mediaType, content, runId, conversationId }) {
      const name = checkFileName(given);
      const about: About = {
        name,
        type: mediaType === undefined ? mediaTypeOfName(name) : checkMediaType(mediaType),
        run: runId,
        conversation: conversationId,
      };
      const put = await shelf.put(workspaceId, { id: artifactId(key), content, about });
      if (!("file" in put)) throw describeRefusal(put.kind, name, content.length, limits());
      const artifact = toArtifact(put.file);
      onCreated?.(workspaceId, artifact);
      return artifact;
    },
    async find(workspaceId, id) {
      const file = await shelf.find(workspaceId, id);
      return file === undefined ? undefined : toArtifact(file);
    },
    read: (workspaceId, id) => shelf.read(workspaceId, id),
    list: async (workspaceId) => (await shelf.list(workspaceId)).map(toArtifact),
    delete: (workspaceId, id) => shelf.delete(workspaceId, id),
    eraseArtifacts: (workspaceId) => shelf.erase(workspaceId),
  };
}

const MAX_NAME_BYTES = 200;

/**
 * A name that can stand in a header, in a chat and in anybody's download folder. Throws `InvalidInput` for one with a
 * part of a path in it, a character that hides or moves text, or a form that some system cannot keep.
 */
export function checkFileName(given: string): string {
  const name = given.normalize("NFC").trim();
  const fault = faultOfName(name);
  if (fault === undefined) return name;
  throw new InvalidInput(`The file name ${JSON.stringify(given.slice(0, MAX_NAME_BYTES))} ${fault}`, {
    code: "artifact_name",
  });
}

function faultOfName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  if (/[\\/:*?"<>|]/.test(name)) return String.raw`must not contain any of \ / : * ? " < > |`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(name)) return "contains a control character or an invisible one";
  if (name.startsWith(".") || name.endsWith(".")) return "must not begin or end with a dot";
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) return "is reserved by some systems";
  return undefined;
}

function checkMediaType(given: string): string {
  const type = given.trim().toLowerCase();
  if (type.length <= 100 && MEDIA_TYPE.test(type)) return type;
  throw new InvalidInput(`The media type ${JSON.stringify(given.slice(0, 100))} is none, such as text/plain`, {
    code: "artifact_type",
  });
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

/** The media type people expect of a file by the ending of its name. */
export function mediaTypeOfName(name: string): string {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return TYPE_OF_ENDING.get(ending) ?? "application/octet-stream";
}

const TYPE_OF_ENDING: ReadonlyMap<string, string> = new Map([
  ["txt", "text/plain"],
  ["log", "text/plain"],
  ["md", "text/markdown"],
  ["csv", "text/csv"],
  ["tsv", "text/tab-separated-values"],
  ["html", "text/html"],
  ["htm", "text/html"],
  ["css", "text/css"],
  ["js", "text/javascript"],
  ["ts", "text/plain"],
  ["py", "text/x-python"],
  ["json", "application/json"],
  ["yaml", "application/yaml"],
  ["yml", "application/yaml"],
  ["xml", "application/xml"],
  ["pdf", "application/pdf"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["odt", "application/vnd.oasis.opendocument.text"],
  ["zip", "application/zip"],
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
  ["svg", "image/svg+xml"],
  ["mp3", "audio/mpeg"],
  ["m4a", "audio/mp4"],
  ["wav", "audio/wav"],
  ["ogg", "audio/ogg"],
  ["oga", "audio/ogg"],
  ["flac", "audio/flac"],
  ["weba", "audio/webm"],
]);

const aboutSchema = z.object({
  name: z.string(),
  type: z.string(),
  run: z.custom<RunId>((value) => typeof value === "string").optional(),
  conversation: z.custom<ConversationId>((value) => typeof value === "string").optional(),
});
type About = z.infer<typeof aboutSchema>;

function artifactId(key: string): string {
  return `art_${createHash("sha256").update(key).digest("hex").slice(0, 24)}`;
}

function toArtifact({ id, bytes, at, endsAt, about }: ShelfFile<About>): Artifact {
  const { name, type: mediaType, run: runId, conversation: conversationId } = about;
  return { id, name, mediaType, bytes, createdAt: at, endsAt, runId, conversationId };
}

function describeRefusal(
  why: "file-too-large" | "too-many" | "too-large",
  name: string,
  bytes: number,
  limits: ShelfLimits,
): InvalidInput {
  const file = JSON.stringify(name);
  const said = {
    "file-too-large": `${file} has ${bytes} bytes; at most ${limits.maxBytes} are allowed`,
    "too-many": `There are ${limits.quotaFiles} artifacts already; delete one to keep ${file}`,
    "too-large": `${file} would pass the limit of ${limits.quotaBytes} bytes for all artifacts; delete some first`,
  }[why];
  return new InvalidInput(said, { code: "artifact_limit" });
}
