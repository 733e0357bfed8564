/**
 * Say at a glance who serves, how far its fullest limit is used and who is next, and more of it in a tooltip.
 *
 * Pure: the gateway's status in, texts out.
 */

import type { Chain, Limit, Profile, Status } from "./values.js";
import { back, cause, escaped, figure, type Language, limitName, plain, span, statusName } from "./words.js";

const DEFAULT = "default";
const CELLS = 12;
const MOST_PROFILES = 24;
const MOST_LIMITS = 4;
const SIGNS: Readonly<Record<string, string>> = {
  active: "$(circle-filled)",
  cooldown: "$(clock)",
  exhausted: "$(circle-slash)",
  failed: "$(error)",
  disabled: "$(circle-outline)",
};

export interface Glance {
  readonly text: string;
  /** Markdown, with icons and links to the extension's own commands. */
  readonly tooltip: string;
  /** Nobody can serve. */
  readonly alarming: boolean;
}

/** Return what there is to say of a chain (`wanted`, else `default`, else the first); null: nothing. */
export function glance(status: Status, wanted: string, language: Language, now: number): Glance | null {
  const chain = shownChain(status, wanted);
  if (chain === undefined || chain.profiles.length === 0) return null;
  const alarming = chain.serving === null;
  return { text: line(chain, status, language, now), tooltip: tooltip(chain, status, language, now), alarming };
}

export function shownChain({ chains }: Status, wanted: string): Chain | undefined {
  return chains.get(wanted) ?? chains.get(DEFAULT) ?? chains.values().next().value;
}

function line(chain: Chain, { profiles }: Status, language: Language, now: number): string {
  const { t } = language;
  const { serving } = chain;
  if (serving === null) {
    const waits = soonest(chain, chain.profiles);
    const until = waits ? ` ▸ ${plain(waits.profile)} ${back(language, waits.at, now)}` : "";
    return `$(warning) ${t("nobody can serve")}${until}`;
  }
  const parts = [plain(serving)];
  const limit = fullest(profiles.get(serving));
  if (limit) {
    const taken = figure(language, limit.used + limit.reserved, false);
    parts.push(`${taken}/${figure(language, limit.amount, false)} ${limitName(language, limit)}`);
  }
  const place = chain.profiles.indexOf(serving);
  const next = chain.profiles.slice(place + 1).find((each) => !chain.skipped.some(({ profile }) => profile === each));
  const waits = soonest(chain, chain.profiles.slice(0, Math.max(0, place)));
  if (next !== undefined) parts.push(`▸ ${t("next {0}", plain(next))}`);
  else if (waits) parts.push(`▸ ${plain(waits.profile)} ${back(language, waits.at, now)}`);
  return parts.join(" ");
}

function fullest(profile: Profile | undefined): Limit | undefined {
  const share = (limit: Limit): number => (limit.used + limit.reserved) / limit.amount;
  return profile?.limits
    .filter((limit) => limit.per !== null && limit.amount > 0)
    .reduce<Limit | undefined>((most, each) => (most && share(most) >= share(each) ? most : each), undefined);
}

function soonest(chain: Chain, names: readonly string[]): { profile: string; at: number } | undefined {
  return chain.skipped
    .flatMap(({ profile, availableAt }) =>
      availableAt !== null && names.includes(profile) ? [{ profile, at: availableAt }] : [],
    )
    .sort((one, other) => one.at - other.at)[0];
}

function tooltip(chain: Chain, status: Status, language: Language, now: number): string {
  const { t } = language;
  const others = [...status.profiles.keys()].filter((name) => !chain.profiles.includes(name));
  const shown = [...chain.profiles, ...others].slice(0, MOST_PROFILES);
  const blocks = shown.map((name) => block(name, chain, status, language, now));
  const left = chain.profiles.length + others.length - shown.length;
  if (left > 0) blocks.push(t("and {0} more", `${left}`));
  const pinned = chain.pinned === null ? "" : ` · $(pinned) ${escaped(chain.pinned)}`;
  return [`**${escaped(chain.name)}**${pinned}`, ...blocks, links(chain, language)].join("\n\n");
}

/** Return a profile's part: how it stands, then a line for each of its limits. */
function block(name: string, chain: Chain, { profiles }: Status, language: Language, now: number): string {
  const { t } = language;
  const profile = profiles.get(name);
  const mark = name === chain.serving ? "▸ " : "";
  if (profile === undefined) return `${mark}**${escaped(name)}**`;
  const head = [`${SIGNS[profile.status] ?? ""} ${mark}**${escaped(name)}**`, escaped(statusName(language, profile.status))];
  head.push(...obstacle(profile, chain, language, now));
  if (!chain.profiles.includes(name)) head.push(t("not in this chain"));
  const bars = profile.limits
    .filter((limit) => limit.amount > 0)
    .slice(0, MOST_LIMITS)
    .map((limit) => bar(limit, language, now));
  const { requests, tokens } = profile.lastHour;
  if (bars.length === 0) {
    bars.push(t("last hour: {0} requests, {1} tokens", figure(language, requests), figure(language, tokens)));
  }
  return [head.join(" · "), ...bars].join("  \n");
}

/** Return why a profile is not active, or else why its chain can't take it now; and until when. */
function obstacle(profile: Profile, chain: Chain, language: Language, now: number): string[] {
  const skipped = chain.skipped.find((each) => each.profile === profile.name);
  const active = profile.status === "active";
  const reason = active ? skipped?.reason : profile.reason;
  const until = active ? skipped?.availableAt : profile.until;
  const found = reason ? [escaped(cause(language, reason))] : [];
  if (until) found.push(escaped(back(language, until, now)));
  return found;
}

function bar(limit: Limit, language: Language, now: number): string {
  const { t } = language;
  const taken = limit.used + limit.reserved;
  const cells = Math.min(CELLS, Math.max(0, Math.round((taken / limit.amount) * CELLS)));
  const filled = taken > 0 ? Math.max(1, cells) : 0;
  const said = [
    `${figure(language, taken)}/${figure(language, limit.amount)} ${limitName(language, limit)}`,
    t("{0} left", figure(language, limit.remaining)),
  ];
  if (limit.resetsAt !== null && limit.resetsAt > now) said.push(`↻ ${span(language, limit.resetsAt - now)}`);
  return `\`${"█".repeat(filled)}${"░".repeat(CELLS - filled)}\` ${said.map(escaped).join(" · ")}`;
}

function links(chain: Chain, { t }: Language): string {
  const pinning: [string, string] =
    chain.pinned === null ? [t("Pin"), "spillover.pin"] : [t("Unpin"), "spillover.unpin"];
  const found: [string, string][] = [
    [t("Dashboard"), "spillover.openDashboard"],
    pinning,
    [t("Clear usage"), "spillover.clearUsage"],
  ];
  return found.map(([title, command]) => `[${title}](command:${command})`).join(" · ");
}
