// @ts-check

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Shelf */

/**
 * One value kept by the browser under a name, or only by this page where the browser keeps nothing, as some do in
 * private windows.
 * @template Value
 * @param {() => Shelf} shelf
 * @param {string} name
 * @param {(raw: unknown) => Value} parse makes a value of whatever was found; gets undefined when there was nothing
 */
export function createKept(shelf, name, parse) {
  let value = parse(readJson(shelf, name));
  return {
    read: () => value,

    /** @param {Value} next */
    write(next) {
      value = next;
      try {
        if (next === undefined) shelf().removeItem(name);
        else shelf().setItem(name, JSON.stringify(next));
      } catch {
        // Full or forbidden: this page goes on with its own copy.
      }
    },
  };
}

/** @param {() => Shelf} shelf @param {string} name @returns {unknown} */
function readJson(shelf, name) {
  try {
    return JSON.parse(shelf().getItem(name) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
