/**
 * Find in the gateway's events what a person wants to be told: each transition once.
 *
 * Pure: an event in, at most one notice out. What every request says while a chain is away from a
 * profile is no news, and a request that only went elsewhere for itself is none either.
 */

import type { Happening, Status } from "./values.js";
import { back, cause, type Language, plain } from "./words.js";

export interface Notice {
  /** Whom it is about. */
  readonly profile: string;
  /** Where; null: in all chains. */
  readonly chain: string | null;
  readonly grave: boolean;
  /** How to say it at `now`: it may have waited. */
  text(now: number): string;
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

  /** Take how things stand at the beginning: it is no news. */
  begin({ chains }: Status, now: number): void {
    for (const chain of chains.values()) {
      if (chain.serving === null) this.#unserved.add(chain.name);
      const left = this.#leftBy(chain.name);
      for (const { profile, reason } of chain.skipped) {
        if (!OF_THE_REQUEST.has(reason) && !left.has(profile)) left.set(profile, now);
      }
    }
  }

  /** Return what an event has to tell at `now`; null: nothing new. */
  see(event: Happening, language: Language, now: number): Notice | null {
    const notice = this.#seen(event, language);
    return now - event.at > STALE_MS ? null : notice;
  }

  #seen(event: Happening, language: Language): Notice | null {
    switch (event.type) {
      case "request.fallback":
        return this.#fallback(event, language);
      case "request.done":
        return this.#done(event, language);
      case "profile.status":
        return this.#status(event, language);
      default:
        return null;
    }
  }

  #fallback(event: Happening, language: Language): Notice | null {
    const { t } = language;
    const { at, until, texts } = event;
    const [chain, from, to, why] = [texts.get("chain"), texts.get("from"), texts.get("to"), texts.get("cause") ?? ""];
    // Without an end, a limit is one on calls at once: the next request may find a place again.
    const passing = OF_THE_REQUEST.has(why) || (why === "limit" && until === null);
    if (chain === undefined || from === undefined || passing) return null;
    const left = this.#leftBy(chain);
    const known = left.has(from);
    if (!known) left.set(from, at);
    const because = (now: number): string =>
      until === null ? cause(language, why) : `${cause(language, why)}, ${back(language, until, now)}`;
    if (to === undefined) {
      if (this.#unserved.has(chain)) return null;
      this.#unserved.add(chain);
      const text = (now: number): string => t("{0}: nobody can serve ({1}: {2})", plain(chain), plain(from), because(now));
      return { profile: from, chain, grave: true, text };
    }
    if (known) return null;
    const text = (now: number): string => t("{0}: {1} → {2} ({3})", plain(chain), plain(from), plain(to), because(now));
    return { profile: from, chain, grave: false, text };
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
    return { profile, chain, grave: false, text: () => text };
  }

  #status(event: Happening, language: Language): Notice | null {
    const { t } = language;
    const [profile, from, to] = [event.texts.get("profile"), event.texts.get("from"), event.texts.get("to")];
    if (profile === undefined || from === to) return null;
    if (to === "failed") {
      const text = t("{0} failed ({1})", plain(profile), cause(language, event.texts.get("reason") ?? "failed"));
      return { profile, chain: null, grave: true, text: () => text };
    }
    if (to !== "active") return null;
    let wasLeft = false;
    for (const left of this.#left.values()) wasLeft = left.delete(profile) || wasLeft;
    if (!wasLeft && from !== "failed") return null;
    const text = t("{0} is back", plain(profile));
    return { profile, chain: null, grave: false, text: () => text };
  }

  #leftBy(chain: string): Map<string, number> {
    const left = this.#left.get(chain) ?? new Map<string, number>();
    this.#left.set(chain, left);
    return left;
  }
}
