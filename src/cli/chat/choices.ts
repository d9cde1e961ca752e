/** The choices of a question, numbered as a person types them. Pure. */
export function listChoices(choices: readonly string[]): string {
  return choices.map((choice, index) => `  ${index + 1}. ${choice}`).join("\n");
}

/** What is sent for a typed line: a number that stands alone is the choice of that number, if there is one. Pure. */
export function resolveChoice(line: string, choices: readonly string[]): string {
  const number = /^\s*(\d{1,3})\s*[.)]?\s*$/.exec(line)?.[1];
  return (number === undefined ? undefined : choices[Number(number) - 1]) ?? line;
}
