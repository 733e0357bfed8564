import assert from "node:assert/strict";
import { test } from "node:test";

import { readStatus } from "../src/values.js";
import { back, cause, escaped, figure, limitName, plain, span } from "../src/words.js";
import { ENGLISH, limit, NOW, profile } from "./making.js";

test("spans have their two largest units, rounded up", () => {
  const spans = [0.2, 59, 60, 750, 3_600, 11_000, 86_400, 190_000].map((seconds) => span(ENGLISH, seconds * 1_000));

  assert.deepEqual(spans, ["1 s", "59 s", "1 min", "12 min 30 s", "1 h", "3 h 4 min", "1 d", "2 d 5 h"]);
});

test("an instant that is past is back now", () => {
  assert.equal(back(ENGLISH, NOW + 42_000, NOW), "back in 42 s");
  assert.equal(back(ENGLISH, NOW, NOW), "back now");
});

test("limits are called as their users call them", () => {
  const named = (more: object): string => {
    const status = readStatus({ profiles: { groq: profile({ limits: [limit(more)] }) } });
    return limitName(ENGLISH, status.profiles.get("groq")!.limits[0]!);
  };

  assert.equal(named({}), "RPD");
  assert.equal(named({ metric: "input_tokens", per: "minute" }), "ITPM");
  assert.equal(named({ metric: "cost", per: "lifetime" }), "cost/lifetime");
  assert.equal(named({ metric: "concurrency", per: null }), "at once");
});

test("a cause that is not known is shown as it is, without underscores", () => {
  assert.equal(cause(ENGLISH, "auth_invalid"), "key refused");
  assert.equal(cause(ENGLISH, "brand_new"), "brand new");
});

test("figures are written as the language writes them", () => {
  assert.equal(figure(ENGLISH, 20_100.555), "20,100.56");
  assert.equal(figure({ ...ENGLISH, locale: "de" }, 20_100), "20.100");
  assert.equal(figure(ENGLISH, 1_000, false), "1000");
});

test("foreign texts become no icon, link or second line, and stay short", () => {
  assert.equal(plain("a$(zap)\n[x](command:evil)\u202e\u2028b"), "a$ (zap) (x)(command:evil) b");
  assert.equal([...plain("长".repeat(500))].length, 64);
});

test("foreign texts become no Markdown", () => {
  const shown = escaped("**b** <img src=x> [x](command:y) `c` &lt; | $(zap) http://a.b");

  assert.doesNotMatch(shown.replace(/&#\d+;/g, ""), /[*<>[\]()`|$:.&]/);
});
