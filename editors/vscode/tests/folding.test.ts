import assert from "node:assert/strict";
import { test } from "node:test";

import { Folding, GATHER_MS, MOST_QUIET_MS, QUIET_MS } from "../src/folding.js";
import type { Notice } from "../src/transitions.js";
import { ENGLISH, NOW } from "./making.js";

function notice(profile: string, text = profile, grave = false, chain: string | null = "default"): Notice {
  return { profile, chain, grave, text: () => text };
}

test("the first notice comes after a moment, with its kin", () => {
  const folding = new Folding();
  folding.add(notice("a"), NOW);
  folding.add(notice("b", "b", true), NOW + 100);

  assert.equal(folding.due, NOW + GATHER_MS);
  assert.equal(folding.take(ENGLISH, NOW + GATHER_MS - 1), null);
  assert.deepEqual(folding.take(ENGLISH, NOW + GATHER_MS), { text: "a · b", grave: true });
  assert.equal(folding.due, null);
});

test("what comes in the quiet after it is one notice, the latest of each profile", () => {
  const folding = new Folding();
  folding.add(notice("a"), NOW);
  folding.take(ENGLISH, NOW + GATHER_MS);

  for (const profile of ["a", "b", "a"]) folding.add(notice(profile, `${profile} again`), NOW + 1_000);

  assert.equal(folding.due, NOW + GATHER_MS + QUIET_MS);
  assert.equal(folding.take(ENGLISH, NOW + GATHER_MS + QUIET_MS)?.text, "b again · a again");
});

test("a profile that is back takes the place of what was said of it in any chain", () => {
  const folding = new Folding();
  folding.add(notice("a", "one: a → b", false, "one"), NOW);
  folding.add(notice("a", "two: a → c", false, "two"), NOW);
  folding.add(notice("b", "two: b → c", false, "two"), NOW);
  folding.add(notice("a", "a is back", false, null), NOW);

  assert.equal(folding.take(ENGLISH, NOW + GATHER_MS)?.text, "two: b → c · a is back");
});

test("while it goes on the quiet doubles, for what is grave not, and calm ends it", () => {
  const folding = new Folding();
  const gaps: number[] = [];
  let now = NOW;
  for (let round = 0; round < 10; round += 1) {
    folding.add(notice("a"), now);
    gaps.push(folding.due! - now);
    now = folding.due!;
    folding.take(ENGLISH, now);
  }

  assert.deepEqual(gaps.slice(0, 4), [GATHER_MS, QUIET_MS, 2 * QUIET_MS, 4 * QUIET_MS]);
  assert.equal(gaps.at(-1), MOST_QUIET_MS);
  folding.add(notice("b", "b", true), now);
  assert.equal(folding.due, now + QUIET_MS);
  folding.take(ENGLISH, now + QUIET_MS);
  folding.add(notice("a"), now + QUIET_MS + MOST_QUIET_MS + 1);
  folding.take(ENGLISH, folding.due!);
  folding.add(notice("a"), now + 2 * MOST_QUIET_MS);
  assert.ok(folding.due! - (now + 2 * MOST_QUIET_MS) <= QUIET_MS);
});

test("very many are cut, and say so", () => {
  const folding = new Folding();
  for (let number = 0; number < 9; number += 1) folding.add(notice(`${number}`), NOW);

  assert.equal(folding.take(ENGLISH, NOW + GATHER_MS)?.text, "5 earlier changes · 5 · 6 · 7 · 8");
});
