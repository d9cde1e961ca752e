/**
 * Rendered text on its way to be cut into messages: what must stay together, what encloses what, and where a message may
 * end. Every platform's text becomes such a flow, so that there is one place which cuts.
 */
export type FlowPiece =
  /** A word or a line of code: cut only when it is too long for a message by itself. `encode` is the platform's form of it. */
  | { readonly kind: "text"; readonly text: string; readonly encode: (text: string) => string }
  /** Something that cannot be cut, such as a link; should it be too long for a message, `instead` is written. */
  | { readonly kind: "whole"; readonly text: string; readonly instead: FlowPiece }
  /** From here to the matching `close`: written again, as `again`, at the start of a message that begins inside. */
  | { readonly kind: "open"; readonly open: string; readonly close: string; readonly again: string }
  | { readonly kind: "close" }
  /** White space. A message may end here, the rather the higher the rank; the space is then left out. */
  | { readonly kind: "gap"; readonly text: string; readonly rank: Rank };

/** How good a place to end a message is: between words, lines, or blocks. */
export type Rank = 1 | 2 | 3;

type Open = Extract<FlowPiece, { kind: "open" }>;

/** How much of a message should be filled before a better place to end it is preferred to a fuller message. */
const WELL_FILLED = 0.5;

/** Cuts a flow into messages of at most `limit` UTF-16 units, each valid by itself. Nothing but gaps is left out. */
export function cutFlow(pieces: readonly FlowPiece[], limit: number): string[] {
  const parts: string[] = [];
  let open: readonly Open[] = [];
  let at = 0;
  let rest: FlowPiece | undefined;
  while (at < pieces.length || rest !== undefined) {
    const part = fillPart(pieces, at, rest, open, limit);
    if (part.text.trim() !== "") parts.push(part.text);
    ({ at, rest, open } = part);
  }
  return parts;
}

interface Part {
  readonly text: string;
  /** Where the next part begins, and what is left of a piece that had to be cut. */
  readonly at: number;
  readonly rest: FlowPiece | undefined;
  readonly open: readonly Open[];
}

function fillPart(
  pieces: readonly FlowPiece[],
  start: number,
  rest: FlowPiece | undefined,
  inherited: readonly Open[],
  limit: number,
): Part {
  let text = inherited.map(({ again }) => again).join("");
  const opening = text.length;
  let open = [...inherited];
  let best: (Part & { readonly rank: Rank }) | undefined;
  // Up to what was last written: marks that enclose nothing yet are left to the next part.
  let solid = { text, open };
  const closing = (of = open) =>
    of
      .map(({ close }) => close)
      .toReversed()
      .join("");
  const fits = (more: string) => text.length + more.length + closing().length <= limit;
  const fitsAlone = (more: string) =>
    open.reduce((sum, { again, close }) => sum + again.length + close.length, more.length) <= limit;
  const over = (at: number, left?: FlowPiece): Part => ({
    text: solid.text + closing(solid.open),
    at,
    rest: left,
    open,
  });
  const write = (more: string) => {
    text += more;
    solid = { text, open };
  };

  for (let at = rest === undefined ? start : start - 1; at < pieces.length; at++) {
    const piece: FlowPiece | undefined = at < start ? rest : pieces[at];
    switch (piece?.kind) {
      case undefined:
        break;
      case "open":
        if (text.length + piece.open.length + piece.close.length + closing().length >= limit && text.length > opening)
          return best ?? over(at);
        text += piece.open;
        open = [...open, piece];
        break;
      case "close":
        text += open.at(-1)?.close ?? "";
        open = open.slice(0, -1);
        solid = { text, open };
        break;
      case "gap":
        if (text.length === opening) break; // a message does not begin with space
        if (best === undefined || piece.rank >= best.rank || text.length < limit * WELL_FILLED)
          best = { ...over(at + 1), rank: piece.rank };
        if (!fits(piece.text)) return best;
        write(piece.text);
        break;
      case "whole":
        if (fits(piece.text)) write(piece.text);
        else if (best !== undefined) return best;
        else if (text.length > opening) return over(at + 1, piece);
        else return fillPart(pieces, at + 1, piece.instead, open, limit);
        break;
      case "text": {
        const encoded = piece.encode(piece.text);
        if (fits(encoded)) write(encoded);
        else if (best !== undefined) return best;
        // A word that touches what stands before it: parted from it, rather than cut in two.
        else if (solid.text.length > opening && fitsAlone(encoded)) return over(at + 1, piece);
        else {
          const [first, second] = cutText(piece, limit - text.length - closing().length);
          if (first === "" && text.length > opening) return over(at + 1, piece);
          // Even one character is taken, whatever it costs: a part that holds nothing would come again for ever.
          write(piece.encode(first === "" ? firstCharacter(piece.text) : first));
          const left = first === "" ? piece.text.slice(firstCharacter(piece.text).length) : second;
          return over(at + 1, left === "" ? undefined : { ...piece, text: left });
        }
        break;
      }
    }
  }
  return over(pieces.length);
}

const firstCharacter = (text: string): string => [...new Intl.Segmenter().segment(text)][0]?.segment ?? "";

/** As many words, or else whole characters as people see them, as have room in their platform's form; and what is left. */
function cutText({ text, encode }: Extract<FlowPiece, { kind: "text" }>, room: number): [string, string] {
  let taken = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (encode(taken + segment).length > room) break;
    taken += segment;
  }
  const words = text.length === taken.length ? taken : taken.slice(0, taken.lastIndexOf(" ") + 1);
  if (words.trim() !== "") taken = words;
  return [taken, text.slice(taken.length)];
}
