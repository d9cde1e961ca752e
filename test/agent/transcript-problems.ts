/** A message of a chat completion, as far as its place among the others matters. */
export interface WireMessage {
  readonly role: string;
  readonly content?: string | null | undefined;
  readonly name?: string | undefined;
  readonly tool_call_id?: string | undefined;
  readonly tool_calls?:
    | readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[]
    | undefined;
}

/**
 * What strict providers refuse a transcript for, one sentence each: roles out of order, calls without their results or
 * results without their calls, ids used twice, names and arguments they cannot read, half characters. Empty for a good one.
 */
export function transcriptProblems(messages: readonly WireMessage[]): string[] {
  const problems: string[] = [];
  const used = new Set<string>();
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const at = `message ${index} (${message.role})`;
    const { role, content } = message;
    if (role === "tool") {
      const id = message.tool_call_id ?? "";
      if (open[0] !== id) problems.push(`${at}: answers ${id}, expected ${open[0] ?? "no result"}`);
      open = open.filter((each) => each !== id);
    } else if (open.length > 0) {
      problems.push(`${at}: the calls ${open.join(", ")} have no result`);
      open = [];
    }
    if (!["system", "user", "assistant", "tool"].includes(role)) problems.push(`${at}: an unknown role`);
    if ((role === "system") !== (index === 0)) problems.push(`${at}: the system prompt comes first, once`);
    if (index === 1 && role !== "user") problems.push(`${at}: a conversation begins with a person`);
    const calls = message.tool_calls ?? [];
    if (message.tool_calls?.length === 0) problems.push(`${at}: an empty list of calls`);
    if (role === "assistant" && calls.length === 0 && (content ?? "").trim() === "")
      problems.push(`${at}: says and calls nothing`);
    if (role === "assistant" && calls.length === 0 && messages[index - 1]?.role === "assistant")
      problems.push(`${at}: two answers in a row`);
    if (role !== "assistant" && typeof content !== "string") problems.push(`${at}: has no text`);
    if (content?.isWellFormed() === false || content?.includes("\0") === true)
      problems.push(`${at}: a broken character`);
    if (message.name !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(message.name)) problems.push(`${at}: an odd name`);
    for (const call of calls) {
      if (call.id === "" || used.has(call.id)) problems.push(`${at}: the call id "${call.id}" is empty or used twice`);
      used.add(call.id);
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(call.function.name)) problems.push(`${at}: an odd tool name`);
      if (!isObject(call.function.arguments)) problems.push(`${at}: arguments that are no JSON object`);
    }
    if (calls.length > 0) open = calls.map(({ id }) => id);
  }
  if (open.length > 0) problems.push(`at the end: the calls ${open.join(", ")} have no result`);
  if (messages.at(-1)?.role === "assistant") problems.push("at the end: nobody is owed an answer");
  return problems;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
