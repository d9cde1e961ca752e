import type { CallPiece } from "./wire-reply.ts";

/** A tool call as far as it has been received. */
export interface PartialCall {
  id: string;
  name: string;
  args: string;
  readonly index: number | undefined;
}

/**
 * Adds one streamed piece to the calls received so far. The standard says that pieces of one call share an `index`;
 * in practice the index is missing, 0 for every parallel call, or comes without an id, and all of that is sorted out
 * here by id, by name and by whether the arguments so far are complete.
 */
export function addCallPiece(calls: PartialCall[], received: CallPiece): void {
  const piece: PartialCall = {
    id: received.id ?? "",
    name: received.function?.name ?? "",
    args: received.function?.arguments ?? "",
    index: received.index ?? undefined,
  };
  const call = openCall(calls, piece);
  if (call === undefined) {
    calls.push(piece);
    return;
  }
  if (call.id === "") call.id = piece.id;
  // A name is sent whole, repeated in every piece, or (rarely) cut in two before the arguments begin.
  if (call.name === "") call.name = piece.name;
  else if (piece.name !== call.name && call.args === "") call.name += piece.name;
  call.args += piece.args;
}

/** The call this piece continues; undefined when it begins a new one. */
function openCall(calls: readonly PartialCall[], piece: PartialCall): PartialCall | undefined {
  if (piece.index === undefined && piece.id !== "") {
    const same = calls.findLast((call) => call.id === piece.id);
    if (same !== undefined) return piece.name === "" || sameCall(same, piece) ? same : undefined;
  }
  const indexed = piece.index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === piece.index);
  // A piece that names no tool can only continue one, even when its index was never seen.
  if (piece.name === "") return indexed ?? calls.at(-1);
  if (indexed === undefined || !sameCall(indexed, piece)) return undefined;
  return indexed;
}

/** Whether a piece that names a tool, as only a call's first piece should, nevertheless belongs to this call. */
function sameCall(call: PartialCall, piece: PartialCall): boolean {
  if (piece.id !== "" && call.id !== "" && piece.id !== call.id) return false;
  if (piece.index === undefined && piece.name !== call.name) return false;
  if (piece.args === "") return piece.index !== undefined || piece.id !== "";
  return !isJsonObject(call.args);
}

function isJsonObject(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
