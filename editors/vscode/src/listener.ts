/**
 * Stay with a gateway: listen to its events, look at its status when something happened, and come back to it.
 *
 * It looks at most once in `LOOK_MS` however much happens, and asks a gateway that is away ever less often.
 */

import { type Client, Refused } from "./client.js";
import type { ServerEvent } from "./sse.js";
import { type Happening, readHappening, type Status } from "./values.js";

const LOOK_MS = 1_000;
/** Windows turn over without an event. */
const IDLE_LOOK_MS = 15_000;
export const FIRST_PAUSE_MS = 1_000;
export const MOST_PAUSE_MS = 30_000;

export interface Hearer {
  /** How things stand; null: the gateway is away; `locked`: it wants another admin key. */
  stands(status: Status | "locked" | null): void;
  happened(event: Happening): void;
}

/** Return how long to stay away after so many failures in a row; `chance` (0 to 1) spreads several editors. */
export function pause(failures: number, chance: number): number {
  const most = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1));
  return most * (0.75 + chance / 4);
}

export class Listener {
  readonly #closing = new AbortController();
  #last = "";
  #look: NodeJS.Timeout | undefined;
  #listening = false;
  #looking = false;
  #lookedAt = -Infinity;
  #again = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly client: Client,
    readonly hearer: Hearer,
  ) {}

  /** Listen until closed. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const heard = (event: ServerEvent | null): void => {
          failures = 0;
          this.#listening = true;
          this.#heard(event);
        };
        await this.client.follow(this.#last, heard, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#listening = false;
        clearTimeout(this.#look);
        failures += 1;
        this.hearer.stands(isLocked(error) ? "locked" : null);
      }
      await this.#rest(pause(failures, Math.random()));
    }
  }

  /** Look at once, and if the gateway is away try it now. */
  nudge(): void {
    this.#wake?.();
    if (this.#looking) this.#again = true;
    else if (this.#listening) this.#lookIn(0);
  }

  close(): void {
    this.#closing.abort();
    this.#listening = false;
    clearTimeout(this.#look);
    this.#wake?.();
  }

  /** Take an event, or null when listening began. */
  #heard(told: ServerEvent | null): void {
    if (told !== null) {
      this.#last = told.id;
      const event = readHappening(told.data);
      if (event !== null) this.hearer.happened(event);
    }
    if (this.#looking) this.#again = true;
    else this.#lookIn(this.#lookedAt + LOOK_MS - Date.now());
  }

  /** Look so soon, and not when it was planned before. */
  #lookIn(ms: number): void {
    clearTimeout(this.#look);
    this.#look = setTimeout(() => void this.#lookNow(), Math.max(0, ms));
  }

  async #lookNow(): Promise<void> {
    if (this.#looking) return;
    const { signal } = this.#closing;
    this.#looking = true;
    this.#again = false;
    this.#lookedAt = Date.now();
    try {
      const status = await this.client.status(signal);
      if (this.#listening) this.hearer.stands(status);
    } catch {
      // The stream of events says whether the gateway is away; the next look comes in any case.
    } finally {
      this.#looking = false;
      if (this.#listening) this.#lookIn(this.#again ? LOOK_MS : IDLE_LOOK_MS);
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#closing.signal.aborted) this.#wake();
    });
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Refused && error.status === 401;
}
