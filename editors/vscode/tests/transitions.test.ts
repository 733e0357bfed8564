import assert from "node:assert/strict";
import { test } from "node:test";

import { Transitions } from "../src/transitions.js";
import { readHappening, readStatus } from "../src/values.js";
import { chain, ENGLISH, later, NOW } from "./making.js";

/** What a person is told of events that happen one second after another. */
function told(...events: object[]): string[] {
  const transitions = new Transitions();
  return events.flatMap((fields, second) => {
    const event = readHappening(JSON.stringify({ at: later(second), ...fields }));
    assert.ok(event);
    return transitions.see(event, ENGLISH, NOW + second * 1_000)?.text(NOW) ?? [];
  });
}

const FALLBACK = { type: "request.fallback", chain: "default", from: "groq", to: "gemini", cause: "rate_limited", until: later(49) };
const DONE = { type: "request.done", chain: "default", outcome: "served", took_ms: 100 };
const STATUS = { type: "profile.status", profile: "groq" };

test("a fallback is told once, however many requests follow", () => {
  assert.deepEqual(told(FALLBACK, { ...DONE, profile: "gemini" }, FALLBACK, { ...FALLBACK, cause: "cooldown" }), [
    "default: groq → gemini (rate limited, back in 49 s)",
  ]);
});

test("coming back is told once, by whichever event says so first", () => {
  const served = { ...DONE, profile: "groq" };
  const active = { ...STATUS, from: "cooldown", to: "active" };

  assert.deepEqual(told(FALLBACK, served, active, served).slice(1), ["default: groq serves again"]);
  assert.deepEqual(told(FALLBACK, active, served).slice(1), ["groq is back"]);
});

test("a request that began before its profile was left brings nobody back", () => {
  assert.equal(told(FALLBACK, { ...DONE, profile: "groq", took_ms: 5_000 }).length, 1);
});

test("who serves first is not told of", () => {
  assert.deepEqual(told({ ...DONE, profile: "groq" }, { ...STATUS, from: "disabled", to: "active" }), []);
});

test("a request that goes elsewhere for itself is no news", () => {
  const causes = ["context_length", "bad_request", "lacks_capability", "spend_gate", "policy"];

  assert.deepEqual(told(...causes.map((cause) => ({ ...FALLBACK, cause, until: null }))), []);
  assert.deepEqual(told({ ...FALLBACK, cause: "limit", until: null }), []);
});

test("a chain that has nobody left is told once, until somebody served", () => {
  const nobody = { ...FALLBACK, from: "gemini", to: null, cause: "overloaded", until: null };

  assert.deepEqual(told(nobody, nobody, { ...DONE, profile: "ollama" }, nobody), [
    "default: nobody can serve (gemini: overloaded)",
    "default: nobody can serve (gemini: overloaded)",
  ]);
});

test("a profile that failed is told of, and its return", () => {
  const failed = { ...STATUS, from: "active", to: "failed", reason: "auth_invalid" };

  assert.deepEqual(told(failed, { ...STATUS, from: "failed", to: "active" }), ["groq failed (key refused)", "groq is back"]);
});

test("what happened long ago is remembered and not told", () => {
  assert.deepEqual(told({ ...FALLBACK, at: later(-600) }, FALLBACK), []);
});

test("what was so when the editor came is no news, and its end is", () => {
  const skipped = [{ profile: "groq", reason: "cooldown", available_at: later(49) }, { profile: "paid", reason: "spend_gate" }];
  const transitions = new Transitions();
  transitions.begin(readStatus({ chains: { default: chain({ serving: null, skipped }) } }), NOW);
  const see = (fields: object): string | undefined =>
    transitions.see(readHappening(JSON.stringify({ at: later(1), ...fields }))!, ENGLISH, NOW)?.text(NOW);

  assert.equal(see(FALLBACK), undefined);
  assert.equal(see({ ...FALLBACK, to: null }), undefined);
  assert.equal(see({ ...DONE, profile: "paid" }), undefined);
  assert.equal(see({ ...DONE, profile: "groq" }), "default: groq serves again");
});

test("how long it takes to be back is counted from when it is said", () => {
  const notice = new Transitions().see(readHappening(JSON.stringify({ at: later(0), ...FALLBACK }))!, ENGLISH, NOW);

  assert.match(notice?.text(NOW + 40_000) ?? "", /back in 9 s/);
});

test("names become no link in a notice", () => {
  assert.deepEqual(told({ ...STATUS, profile: "[x](command:y)", to: "failed", reason: "network" }), [
    "(x)(command:y) failed (network)",
  ]);
});
