/** Read server-sent events from pieces of text, wherever they are cut. Pure. */

export interface ServerEvent {
  readonly id: string;
  readonly data: string;
}

const MOST_WAITING = 1_000_000;

export class EventReader {
  #rest = "";
  #id = "";
  #data: string[] = [];

  /** Return the events that a piece completes; raises RangeError for a line without end. */
  read(piece: string): ServerEvent[] {
    const text = this.#rest + piece;
    // A CR at the end may be half of a CRLF.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > MOST_WAITING) throw new RangeError("an event's line has no end");
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ServerEvent[] {
    if (line === "") {
      const data = this.#data.join("\n");
      this.#data = [];
      return data === "" ? [] : [{ id: this.#id, data }];
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    return [];
  }
}
