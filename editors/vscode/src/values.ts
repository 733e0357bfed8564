/**
 * What the extension reads of the gateway's documents; docs/http.md describes them.
 *
 * Whatever answers at the address may be anything, so each field is looked at before it is believed.
 */

export interface Limit {
  readonly metric: string;
  /** Null for what is limited at once. */
  readonly per: string | null;
  readonly amount: number;
  readonly used: number;
  readonly reserved: number;
  readonly remaining: number;
  readonly resetsAt: number | null;
}

export interface Profile {
  readonly name: string;
  readonly tier: string;
  readonly status: string;
  readonly reason: string | null;
  readonly until: number | null;
  readonly limits: readonly Limit[];
  readonly lastHour: { readonly requests: number; readonly tokens: number };
}

export interface Skipped {
  readonly profile: string;
  readonly reason: string;
  readonly availableAt: number | null;
}

export interface Chain {
  readonly name: string;
  readonly serving: string | null;
  readonly pinned: string | null;
  readonly profiles: readonly string[];
  readonly skipped: readonly Skipped[];
}

/** Both by name, in the configuration's order. */
export interface Status {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** An event with those of its fields that are texts; `at` and `until` are epoch milliseconds. */
export interface Happening {
  readonly type: string;
  readonly at: number;
  readonly until: number | null;
  readonly took: number;
  readonly texts: ReadonlyMap<string, string>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Read `/api/status`; what makes no sense in it is left out. */
export function readStatus(document: unknown): Status {
  const { chains, profiles } = fields(document);
  return { chains: named(chains, readChain), profiles: named(profiles, readProfile) };
}

/** Read the data of an event; null when it is none. */
export function readHappening(data: string): Happening | null {
  let document: unknown;
  try {
    document = JSON.parse(data);
  } catch {
    return null;
  }
  const found = fields(document);
  const at = instant(found.at);
  if (typeof found.type !== "string" || at === null) return null;
  const texts = Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { type: found.type, at, until: instant(found.until), took: number(found.took_ms), texts: new Map(texts) };
}

function readChain(name: string, found: Fields): Chain {
  return {
    name,
    serving: text(found.serving),
    pinned: text(found.pinned),
    profiles: list(found.profiles).filter((each): each is string => typeof each === "string"),
    skipped: list(found.skipped).map((each) => {
      const { profile, reason, available_at } = fields(each);
      return { profile: text(profile) ?? "", reason: text(reason) ?? "", availableAt: instant(available_at) };
    }),
  };
}

function readProfile(name: string, found: Fields): Profile {
  const hour = fields(fields(found.usage).hour);
  return {
    name,
    tier: text(found.tier) ?? "",
    status: text(found.status) ?? "",
    reason: text(found.reason),
    until: instant(found.until),
    limits: list(found.limits).map(fields).map(readLimit),
    lastHour: { requests: number(hour.requests), tokens: number(hour.tokens) },
  };
}

function readLimit(found: Fields): Limit {
  const ours = number(found.remaining);
  const theirs = found.provider_remaining;
  return {
    metric: text(found.metric) ?? "",
    per: text(found.per),
    amount: number(found.amount),
    used: number(found.used),
    reserved: number(found.reserved),
    // The lower of the two is what holds.
    remaining: typeof theirs === "number" ? Math.min(ours, theirs) : ours,
    resetsAt: instant(found.resets_at),
  };
}

function named<T>(found: unknown, read: (name: string, found: Fields) => T): Map<string, T> {
  return new Map(Object.entries(fields(found)).map(([name, each]) => [name, read(name, fields(each))]));
}

function fields(found: unknown): Fields {
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Fields) : {};
}

function list(found: unknown): readonly unknown[] {
  return Array.isArray(found) ? found : [];
}

function text(found: unknown): string | null {
  return typeof found === "string" ? found : null;
}

function number(found: unknown): number {
  return typeof found === "number" && Number.isFinite(found) ? found : 0;
}

function instant(found: unknown): number | null {
  const at = typeof found === "string" ? Date.parse(found) : NaN;
  return Number.isNaN(at) ? null : at;
}
