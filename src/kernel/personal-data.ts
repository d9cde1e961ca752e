import type { ConversationId, WorkspaceId } from "./ids.ts";

/** How many things of each kind, under the words people read: `{ "memory entries": 3 }`. */
export type Counts = Readonly<Record<string, number>>;

/** Whose data goes, and who wants it. */
export interface Erasure {
  /** The person under every name they have here: their workspace, and the accounts that were linked to it. */
  readonly persons: readonly WorkspaceId[];
  /** An administrator may also take what a person cannot take back alone, such as what counts toward their limits. */
  readonly by: "person" | "admin";
  /** The conversation in which it was asked for: its own run ends it. */
  readonly except?: ConversationId;
}

/** What came of an erasure in one part. */
export interface Erased {
  readonly counts: Counts;
  /** What stays and until when, in sentences for the person. */
  readonly kept?: readonly string[];
}

/** One part that keeps something of people. Everything that does registers one, so that nothing is forgotten to forget. */
export interface PersonalData {
  /** The name of its part in the exported document. */
  readonly name: string;
  /** Everything kept of one person, as JSON. Names secrets, never holds their values. */
  collect(person: WorkspaceId): Promise<unknown>;
  /** What an erasure would delete now. */
  count(erasure: Erasure): Promise<Counts>;
  /** Deletes it. Safe to repeat. Throws `OutsideError` with a `retry` when something is in use and will be free soon. */
  erase(erasure: Erasure): Promise<Erased>;
}
