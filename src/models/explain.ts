import { InvalidInput, OutsideError, type OutsideCode } from "../kernel/errors.ts";

/** What a person is told when the model could not answer: one plain sentence without provider text, so nothing can leak. */
export function explainFailure(error: unknown): string {
  if (error instanceof OutsideError) return SENTENCES[error.code];
  if (error instanceof InvalidInput) return error.message;
  return "Something went wrong while preparing the answer.";
}

const SENTENCES: Record<OutsideCode, string> = {
  "rate-limited": "The model is getting too many requests right now; please try again in a moment.",
  overloaded: "The model is busy right now; please try again in a moment.",
  unavailable: "The model cannot be reached right now; please try again later.",
  timeout: "The model took too long to answer.",
  "quota-exhausted": "The model's credit is used up; an administrator has to add more.",
  "budget-used-up": "The budget for this is used up.",
  unauthorized: "The model did not accept this bot's key; an administrator has to check it.",
  forbidden: "This bot is not allowed to use the model; an administrator has to check its access.",
  "not-found": "The chosen model does not exist at the configured address; an administrator has to check the settings.",
  "bad-request": "The model could not work with this request.",
  "too-large": "This message is too large for the model; please send less at once.",
  "context-too-long": "This conversation has become too long for the model; /new starts a fresh one.",
  refused: "The model's provider declined to answer this.",
  "cut-short": "The model's answer broke off before it was complete.",
  "empty-answer": "The model sent back an empty answer.",
  garbled: "The model sent back something unreadable.",
  failed: "The model failed to answer.",
};
