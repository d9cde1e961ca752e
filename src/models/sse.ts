/** One server-sent event. `whole` is false for a last one whose closing blank line never came. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
  readonly whole: boolean;
}

/**
 * Cuts a text stream into server-sent events, however its pieces fall. The client library has such a reader too, but
 * its caller can tell neither `[DONE]` from a cut connection nor a half-received event from a garbled one.
 */
export class EventReader {
  #rest = "";
  #name = "";
  #data: string[] = [];

  /** Takes the next piece and returns the events it completes. */
  push(piece: string): ServerEvent[] {
    const ended = this.#rest.endsWith("\r") || /[\r\n]/.test(piece);
    this.#rest += piece;
    if (!ended) return [];
    // A "\r" at the very end may be half of a "\r\n"; it waits for the next piece.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line, true));
  }

  /** Ends the stream and returns the event that was still open, if any. */
  end(): ServerEvent[] {
    const rest = this.#rest.replace(/\r$/, "");
    this.#rest = "";
    return [...(rest === "" ? [] : this.#line(rest, false)), ...this.#line("", false)];
  }

  #line(line: string, whole: boolean): ServerEvent[] {
    if (line === "") {
      const event = { name: this.#name, data: this.#data.join("\n"), whole };
      const empty = this.#data.length === 0;
      this.#name = "";
      this.#data = [];
      return empty ? [] : [event];
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    if (field === "event") this.#name = value;
    return [];
  }
}
