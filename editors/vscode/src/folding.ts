/**
 * Fold bursts of notices: the first waits a moment for its kin, the next ones until it has been quiet.
 *
 * While it goes on, the quiet doubles. Refuses to know clocks: `now` comes in, and `due` says when to look.
 */

import type { Notice } from "./transitions.js";
import type { Language } from "./words.js";

export const GATHER_MS = 400;
export const QUIET_MS = 10_000;
export const MOST_QUIET_MS = 600_000;
const MOST_LINES = 4;

export interface Told {
  readonly text: string;
  readonly grave: boolean;
}

export class Folding {
  #waiting: Notice[] = [];
  #since = 0;
  #told = -Infinity;
  #quiet = QUIET_MS;

  add(notice: Notice, now: number): void {
    if (this.#waiting.length === 0) this.#since = now;
    // What is said later of the same profile makes what waits untrue.
    const others = this.#waiting.filter(({ profile, chain }) => {
      const elsewhere = chain !== null && notice.chain !== null && chain !== notice.chain;
      return profile !== notice.profile || elsewhere;
    });
    this.#waiting = [...others, notice];
  }

  /** When `take` has something; null: not before another notice came. */
  get due(): number | null {
    if (this.#waiting.length === 0) return null;
    const quiet = this.#waiting.some(({ grave }) => grave) ? QUIET_MS : this.#quiet;
    return Math.max(this.#since + GATHER_MS, this.#told + quiet);
  }

  /** Return what waited as one notice, when it is due. */
  take({ t }: Language, now: number): Told | null {
    const { due } = this;
    if (due === null || now < due) return null;
    const notices = this.#waiting;
    this.#waiting = [];
    const calm = this.#since - this.#told > this.#quiet;
    this.#quiet = calm ? QUIET_MS : Math.min(this.#quiet * 2, MOST_QUIET_MS);
    this.#told = now;
    const lines = notices.slice(-MOST_LINES).map((notice) => notice.text(now));
    const left = notices.length - lines.length;
    if (left > 0) lines.unshift(t("{0} earlier changes", `${left}`));
    return { text: lines.join(" · "), grave: notices.some(({ grave }) => grave) };
  }
}
