/** Values that tests begin with, and waiting for what is to come. */

import type { Language } from "../src/words.js";

export const NOW = Date.parse("2026-11-20T12:00:00Z");

/** English, as the texts are written in the source. */
export const ENGLISH: Language = { t: filled, locale: "en" };

export function filled(message: string, ...args: string[]): string {
  return message.replace(/\{(\d)\}/g, (_, place: string) => args[Number(place)] ?? `{${place}}`);
}

export function later(seconds: number): string {
  return new Date(NOW + seconds * 1_000).toISOString();
}

export function limit(more: object = {}): object {
  return {
    metric: "requests", amount: 1000, per: "day", window: "rolling", used: 12, reserved: 0, remaining: 988,
    resets_at: later(3_600), provider_remaining: null, ...more,
  };
}

export function profile(more: object = {}): object {
  const usage = { hour: { requests: 3, tokens: 812 } };
  return { tier: "free", status: "active", reason: null, until: null, limits: [limit()], usage, ...more };
}

export function chain(more: object = {}): object {
  return { serving: "groq", pinned: null, profiles: ["groq", "gemini"], skipped: [], ...more };
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
