import { OutsideError } from "../../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../../kernel/ids.ts";
import type { Counts, Erasure, PersonalData } from "../../kernel/personal-data.ts";
import type { Clock, NewId } from "../../kernel/ports.ts";
import type { ForgettingStore, Receipt } from "../../store/forgetting.ts";

/** Everything kept of a person as one JSON document. */
export interface ExportDocument {
  readonly format: 1;
  readonly user_id: WorkspaceId;
  readonly exported_at: string;
  /** One entry for each name the person has here: their workspace and the accounts linked to it. */
  readonly workspaces: readonly { readonly id: WorkspaceId; readonly data: Readonly<Record<string, unknown>> }[];
}

/** What people may ask about their data. */
export interface Privacy {
  export(person: WorkspaceId): Promise<ExportDocument>;
  /**
   * Deletes everything kept of a person. Repeat it after a failure: it goes on where it stopped, and a finished request
   * gives its receipt again. `operation` names the request. Throws `OutsideError` when something is in use for now.
   */
  forget(
    person: WorkspaceId,
    request: {
      readonly operation: string;
      readonly by: Erasure["by"];
      /** The conversation whose own run asks; that run has to drop its history. */
      readonly except?: ConversationId;
    },
  ): Promise<Receipt>;
}

export interface PrivacyParts {
  /** In the order in which they are deleted; what finds the person's other names comes last. */
  readonly data: readonly PersonalData[];
  readonly progress: ForgettingStore;
  /** All names of a person, their workspace first. */
  readonly namesOf: (person: WorkspaceId) => Promise<readonly WorkspaceId[]>;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** Puts the parts together that keep something of people. */
export function createPrivacy({ data, progress, namesOf, clock, newId }: PrivacyParts): Privacy {
  return {
    async export(person) {
      const workspaces = [];
      for (const id of await namesOf(person)) {
        const entries = [];
        for (const part of data) entries.push([part.name, await part.collect(id)] as const);
        workspaces.push({ id, data: Object.fromEntries(entries) });
      }
      return { format: 1, user_id: person, exported_at: new Date(clock.now()).toISOString(), workspaces };
    },

    async forget(person, { operation, by, except }) {
      const erasure: Erasure = {
        persons: await namesOf(person),
        by,
        ...(except === undefined ? {} : { except }),
      };
      const counted = await Promise.all(data.map((part) => part.count(erasure)));
      const begun = await progress.begin(person, { operation, attempt: newId(), plan: merge(counted) });
      if (begun.kind === "finished") return begun.receipt;
      const kept: string[] = [];
      let inUse: OutsideError | undefined;
      const erased: Counts[] = [];
      for (const part of data) {
        // Names are unlinked only when nothing is left under them that an unfinished attempt would have to find again.
        if (inUse !== undefined && part === data.at(-1)) break;
        try {
          const outcome = await part.erase(erasure);
          erased.push(outcome.counts);
          kept.push(...(outcome.kept ?? []));
        } catch (error) {
          if (!(error instanceof OutsideError) || error.retry.kind !== "after") throw error;
          inUse ??= error;
        }
      }
      if (inUse !== undefined) throw inUse;
      const receipt = {
        deleted: larger(begun.plan, merge(erased)),
        kept,
        interrupted: begun.kind === "resumed",
        at: clock.now(),
      };
      await progress.finish(person, receipt);
      return receipt;
    },
  };
}

function merge(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}

// The plan was made before anything was deleted; what came since is counted by the erasure itself.
function larger(plan: Counts, erased: Counts): Counts {
  const kinds = [...new Set([...Object.keys(plan), ...Object.keys(erased)])];
  return Object.fromEntries(kinds.map((kind) => [kind, Math.max(plan[kind] ?? 0, erased[kind] ?? 0)]));
}
