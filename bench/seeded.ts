/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const COMMON =
  "the and to of a in is that it you for on with as are be this have not can will your from or if at was we my but so " +
  "what there they just about me one all get more do when how out up would like some no which then has time could them " +
  "than other into only its our also any because good how these two want day most us";
const STEMS =
  "order meet report price travel train flight hotel book invoice account team project plan draft letter market garden " +
  "kitchen recipe doctor school lesson museum ticket island winter summer river bridge battery server network update " +
  "release deploy memory budget salary contract lawyer insur refund deliver package address weather storm cloud forest " +
  "mountain bicycle engine repair colour paint window curtain carpet neighbour party music guitar concert movie novel " +
  "chapter author editor print camera photo phone screen laptop charge station airport border passport visa bank loan " +
  "credit transfer account morning evening weekend holiday birthday present dinner lunch coffee bread cheese tomato " +
  "chicken pepper salad soup health vitamin exercise marathon swim football tennis league match score referee history " +
  "language grammar accent translat culture festival church temple castle tower palace govern council election vote " +
  "reform climate energy solar turbine carbon research science physics chemist biolog species animal kitten puppy horse " +
  "feather ocean whale coral beach harbour sailor captain journey luggage suggest explain remember forget consider " +
  "compare measure improve reduce increase collect connect protect prepare finish begin choose decide prefer support";
const ENDINGS = ["", "", "", "", "", "", "s", "s", "s", "ed", "ed", "ing", "ing", "er", "ly", "ment"];
const NAMES =
  "Anna Boris Chen Dalia Emeka Fatima Goran Hana Ivan Jonas Keiko Lukas Maria Nadia Omar Priya Quentin Rosa Sofia Tariq " +
  "Berlin Cairo Lagos Lima Oslo Porto Quito Seoul Tallinn Warsaw";

/**
 * English-like chat text of exactly `length` characters: common words often, others rarely, names, numbers and
 * punctuation. Deflate makes about as little of it as of real prose.
 */
export function createTextSource(chance: () => number): (length: number) => string {
  const common = COMMON.split(" ");
  const stems = STEMS.split(" ");
  const names = NAMES.split(" ");
  const pick = (from: readonly string[], power: number) => from[Math.floor(chance() ** power * from.length)] ?? "";

  function word(): string {
    const kind = chance();
    if (kind < 0.5) return pick(common, 1.6);
    if (kind < 0.93) return pick(stems, 1) + pick(ENDINGS, 1);
    if (kind < 0.97) return pick(names, 1);
    if (kind < 0.995) return String(Math.floor(chance() ** 3 * 10_000));
    // Misspellings, product names and the like: words nobody has seen before.
    return Math.floor(chance() * 36 ** 6).toString(36);
  }

  function sentence(): string {
    const words = Array.from({ length: 5 + Math.floor(chance() * 14) }, word);
    const comma = Math.floor(chance() * words.length * 2);
    const text = words.map((each, index) => (index === comma ? `${each},` : each)).join(" ");
    return text.charAt(0).toUpperCase() + text.slice(1) + pick([".", ".", ".", "?", "!", ":"], 1);
  }

  return (length) => {
    let text = sentence();
    while (text.length < length) text += ` ${sentence()}`;
    return text.slice(0, length);
  };
}
