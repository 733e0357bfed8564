/**
 * Words for people: spans, figures, limits, causes; each sentence goes through the translator.
 *
 * Refuses to know the editor: the translator is `vscode.l10n.t`, or a test's.
 */

import type { Limit } from "./values.js";

/** Translate a text whose `{0}`, `{1}` stand for the arguments. */
export type Translate = (message: string, ...args: string[]) => string;

/** The language that a person reads: its texts and its figures. */
export interface Language {
  readonly t: Translate;
  /** As BCP 47 writes it. */
  readonly locale: string;
}

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const LONGEST = 64;

const INITIALS: Readonly<Record<string, string>> = {
  requests: "R",
  tokens: "T",
  input_tokens: "IT",
  output_tokens: "OT",
  neurons: "N",
};
const PER_INITIALS: Readonly<Record<string, string>> = { minute: "PM", hour: "PH", day: "PD", week: "PW" };

/** Return a limit as its users abbreviate it: `RPM`, `TPD`, `ITPM`; else as words. */
export function limitName({ t }: Language, limit: Limit): string {
  if (limit.per === null) return t("at once");
  const metric = INITIALS[limit.metric];
  const per = PER_INITIALS[limit.per];
  return metric && per ? metric + per : plain(`${limit.metric.replaceAll("_", " ")}/${limit.per}`);
}

/** Return a span in its two largest units, rounded up. */
export function span({ t }: Language, ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  if (seconds < MINUTE_S) return t("{0} s", `${seconds}`);
  if (seconds < HOUR_S) {
    return pair(seconds, MINUTE_S, 1, t("{0} min"), t("{0} s"));
  }
  if (seconds < DAY_S) return pair(seconds, HOUR_S, MINUTE_S, t("{0} h"), t("{0} min"));
  return pair(seconds, DAY_S, HOUR_S, t("{0} d"), t("{0} h"));
}

function pair(seconds: number, large: number, small: number, largeText: string, smallText: string): string {
  const whole = Math.ceil(seconds / small) * small;
  const rest = (whole % large) / small;
  const most = largeText.replace("{0}", `${Math.floor(whole / large)}`);
  return rest ? `${most} ${smallText.replace("{0}", `${rest}`)}` : most;
}

/** Return when somebody is back, seen from `now`. */
export function back(language: Language, at: number, now: number): string {
  const { t } = language;
  return at > now ? t("back in {0}", span(language, at - now)) : t("back now");
}

/** Return a figure with at most two decimals. */
export function figure({ locale }: Language, amount: number, grouped = true): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2, useGrouping: grouped }).format(amount);
}

/** Return a status as a word. */
export function statusName({ t }: Language, status: string): string {
  const known: Readonly<Record<string, string>> = {
    active: t("active"),
    cooldown: t("cooldown"),
    exhausted: t("exhausted"),
    failed: t("failed"),
    disabled: t("disabled"),
  };
  return known[status] ?? plain(status);
}

/** Return a cause (a failure class, or why nothing was sent) as words; one that is not known as it is. */
export function cause({ t }: Language, name: string): string {
  const known: Readonly<Record<string, string>> = {
    rate_limited: t("rate limited"),
    quota_exhausted: t("quota exhausted"),
    payment_required: t("no credit"),
    auth_invalid: t("key refused"),
    model_not_found: t("no such model"),
    overloaded: t("overloaded"),
    server_error: t("server error"),
    bad_gateway: t("bad gateway"),
    timeout: t("timeout"),
    network: t("network"),
    limit: t("limit"),
    key_missing: t("key missing"),
    restarting: t("restarting"),
    by_hand: t("by hand"),
    disabled: t("disabled"),
    failed: t("failed"),
    cooldown: t("cooldown"),
    exhausted: t("exhausted"),
    policy: t("policy"),
    privacy: t("privacy"),
    spend_gate: t("spend gate"),
    hours: t("hours"),
  };
  return known[name] ?? plain(name.replaceAll("_", " "));
}

/**
 * Return a foreign text fit for one line of the editor: no control characters, not too long, and
 * nothing that would become an icon (`$(x)`) or a link (`[x](y)`).
 */
export function plain(text: string, longest = LONGEST): string {
  const line = text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll("$(", "$ (")
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .trim();
  const signs = [...line];
  return signs.length > longest ? `${signs.slice(0, longest - 1).join("")}…` : line;
}

/** Return a foreign text fit for Markdown: it is shown as it is, whatever it holds. */
export function escaped(text: string): string {
  return plain(text).replace(/[\\`*_{}()#+\-.!|<>~&:$@]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
