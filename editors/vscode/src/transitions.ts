/**
 * Find in the gateway's events what a person wants to be told: each transition once.
 *
 * Pure: an event in, at most one notice out. What every request says while a chain is away from a
 * profile is no news, and a request that only went elsewhere for itself is none either.
 */

import type { Happening } from "./values.js";
import { back, cause, type Language, plain } from "./words.js";

export interface Notice {
  /** A later notice of the same subject takes an earlier one's place while both wait. */
  readonly subject: string;
  readonly text: string;
  readonly grave: boolean;
}

/** Causes that lie in the request, or in how the chain was set, and change nothing. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  "bad_request",
  "content_filter",
  "context_length",
  "context_too_small",
  "lacks_capability",
  "policy",
  "privacy",
  "spend_gate",
  "hours",
  "tried",
  "disabled",
]);
/** What a gateway that is back tells of long ago is history. */
const STALE_MS = 120_000;

export class Transitions {
  /** Who was left since when, by chain. */
  readonly #left = new Map<string, Map<string, number>>();
  /** Chains that had nobody. */
  readonly #unserved = new Set<string>();

  /** Return what an event has to tell at `now`; null: nothing new. */
  see(event: Happening, language: Language, now: number): Notice | null {
    const stale = now - event.at > STALE_MS;
    const notice = this.#seen(event, language, now);
    return stale ? null : notice;
  }

  #seen(event: Happening, language: Language, now: number): Notice | null {
    switch (event.type) {
      case "request.fallback":
        return this.#fallback(event, language, now);
      case "request.done":
        return this.#done(event, language);
      case "profile.status":
        return this.#status(event, language);
      case "config.reloaded":
        this.#left.clear();
        this.#unserved.clear();
        return null;
      default:
        return null;
    }
  }

  #fallback(event: Happening, language: Language, now: number): Notice | null {
    const { t } = language;
    const [chain, from, to, why] = [event.texts.get("chain"), event.texts.get("from"), event.texts.get("to"), event.texts.get("cause") ?? ""];
    // Without an end, a limit is one on calls at once: the next request may find a place again.
    const passing = OF_THE_REQUEST.has(why) || (why === "limit" && event.until === null);
    if (chain === undefined || from === undefined || passing) return null;
    const left = this.#left.get(chain) ?? new Map<string, number>();
    this.#left.set(chain, left);
    const known = left.has(from);
    if (!known) left.set(from, event.at);
    const until = event.until === null ? "" : `, ${back(language, event.until, now)}`;
    const because = `${cause(language, why)}${until}`;
    if (to === undefined) {
      if (this.#unserved.has(chain)) return null;
      this.#unserved.add(chain);
      const text = t("{0}: nobody can serve ({1}: {2})", plain(chain), plain(from), because);
      return { subject: `chain ${chain}`, text, grave: true };
    }
    if (known) return null;
    const text = t("{0}: {1} → {2} ({3})", plain(chain), plain(from), plain(to), because);
    return { subject: `chain ${chain} ${from}`, text, grave: false };
  }

  #done(event: Happening, language: Language): Notice | null {
    const [chain, profile] = [event.texts.get("chain"), event.texts.get("profile")];
    if (chain === undefined || profile === undefined || event.texts.get("outcome") !== "served") return null;
    this.#unserved.delete(chain);
    const left = this.#left.get(chain)?.get(profile);
    // One that began before says nothing of now.
    if (left === undefined || event.at - event.took < left) return null;
    this.#left.get(chain)?.delete(profile);
    const text = language.t("{0}: {1} serves again", plain(chain), plain(profile));
    return { subject: `chain ${chain} ${profile}`, text, grave: false };
  }

  #status(event: Happening, language: Language): Notice | null {
    const { t } = language;
    const [profile, from, to] = [event.texts.get("profile"), event.texts.get("from"), event.texts.get("to")];
    if (profile === undefined || from === to) return null;
    if (to === "failed") {
      const why = cause(language, event.texts.get("reason") ?? "failed");
      return { subject: `profile ${profile}`, text: t("{0} failed ({1})", plain(profile), why), grave: true };
    }
    if (to !== "active") return null;
    let wasLeft = false;
    for (const left of this.#left.values()) wasLeft = left.delete(profile) || wasLeft;
    if (!wasLeft && from !== "failed") return null;
    return { subject: `profile ${profile}`, text: t("{0} is back", plain(profile)), grave: false };
  }
}
