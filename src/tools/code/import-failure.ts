import { describeError } from "../../kernel/errors.ts";

const MAX_MESSAGE_CHARS = 300;

/**
 * Says in one line why `file` could not be imported, beginning with the file and, when the error tells, the line and
 * column. `marker` is what the addresses of the imported files end with, by which a stack's lines are recognised.
 */
export function describeImportFailure(error: unknown, file: string, marker: string): string {
  const place = findPlace(error, marker);
  const where =
    place === undefined || place.file === file ? `${file}${place?.position ?? ""}` : describeOther(file, place);
  return `${where}: ${messageOf(error).replaceAll(marker, "")}`;
}

interface Place {
  readonly file: string;
  /** `:3` or `:3:7`. */
  readonly position: string;
}

function findPlace(error: unknown, marker: string): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const at = stack.indexOf(`${marker}:`);
  if (at === -1) return undefined;
  const position = /^:\d+(?::\d+)?/.exec(stack.slice(at + marker.length))?.[0];
  const file = /[^/\\\s]+$/.exec(stack.slice(0, at))?.[0];
  return position === undefined || file === undefined ? undefined : { file: decodeURI(file), position };
}

function describeOther(file: string, place: Place): string {
  return `${file} (in ${place.file}${place.position})`;
}

function messageOf(error: unknown): string {
  const [first = ""] = describeError(error).split("\n");
  // Of a bug the kind says much, of anything else nothing.
  const isBug = error instanceof Error && /^(Type|Reference|Range)Error$/.test(error.name);
  return (isBug ? `${error.name}: ${first}` : first).slice(0, MAX_MESSAGE_CHARS);
}
