import assert from "node:assert/strict";
import { test } from "node:test";

import { readHappening, readStatus } from "../src/values.js";
import { chain, later, limit, NOW, profile } from "./making.js";

test("a status is read with its names in order", () => {
  const status = readStatus({ chains: { default: chain() }, profiles: { groq: profile(), gemini: profile() } });

  assert.deepEqual([...status.profiles.keys()], ["groq", "gemini"]);
  assert.equal(status.chains.get("default")?.serving, "groq");
  assert.equal(status.profiles.get("groq")?.limits[0]?.resetsAt, NOW + 3_600_000);
});

test("the lower of both words on what remains holds", () => {
  const status = readStatus({ profiles: { groq: profile({ limits: [limit({ provider_remaining: 50 })] }) } });

  assert.equal(status.profiles.get("groq")?.limits[0]?.remaining, 50);
});

test("whatever answers in a gateway's place harms nothing", () => {
  const odd = [null, 7, "x", [], { chains: [] }, { chains: { a: null }, profiles: { b: { limits: [null, 3], usage: "?" } } }];

  for (const document of odd) assert.doesNotThrow(() => readStatus(document));
});

test("an event needs a type and a time", () => {
  const event = readHappening(JSON.stringify({ type: "request.fallback", at: later(0), from: "groq", to: null }));

  assert.equal(event?.texts.get("from"), "groq");
  assert.equal(event?.texts.has("to"), false);
  assert.equal(readHappening("{"), null);
  assert.equal(readHappening('{"type": "x"}'), null);
});
