import type { Rule } from "./rule.ts";

/** Two meanings: `choices` are complete phrases, each with one meaning. */
export interface Ambiguous {
  readonly kind: "ambiguous";
  readonly question: string;
  readonly choices: readonly string[];
}

/** Not usable, and why in one sentence. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

/** What became of the words in which someone said when. */
export type Reading = { readonly kind: "rule"; readonly rule: Rule } | Ambiguous | Refused;

/** What words are read against. */
export interface ReadContext {
  readonly now: number;
  readonly zone: string;
}

/** One language of phrases. Undefined means that the words are not of this language, and another is tried. */
export interface PhraseLanguage {
  readonly name: string;
  read(phrase: string, context: ReadContext): Reading | undefined;
}

/** A phrase that was understood. */
export const rule = (found: Rule): Reading => ({ kind: "rule", rule: found });
/** A phrase that cannot be used, with the reason in one sentence. */
export const refuse = (reason: string): Refused => ({ kind: "refused", reason });
/** A phrase that may be meant in several ways. */
export const ask = (question: string, choices: readonly string[]): Ambiguous => ({
  kind: "ambiguous",
  question,
  choices,
});
