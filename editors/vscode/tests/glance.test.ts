import assert from "node:assert/strict";
import { test } from "node:test";

import { type Glance, glance } from "../src/glance.js";
import { readStatus } from "../src/values.js";
import { chain, ENGLISH, later, limit, NOW, profile } from "./making.js";

const SPENT = { profile: "groq", reason: "limit", available_at: later(750) };

function seen(found: object, profiles: object = { groq: profile(), gemini: profile() }, wanted = ""): Glance | null {
  return glance(readStatus({ chains: { default: found }, profiles }), wanted, ENGLISH, NOW);
}

test("the line says who serves, its fullest limit and who is next", () => {
  const limits = [limit({ metric: "tokens", amount: 6000, used: 1, per: "minute" }), limit()];

  const found = seen(chain(), { groq: profile({ limits }), gemini: profile() });

  assert.equal(found?.text, "groq 12/1000 RPD ▸ next gemini");
  assert.equal(found.alarming, false);
});

test("calls under way count as used", () => {
  const found = seen(chain(), { groq: profile({ limits: [limit({ reserved: 3 })] }) });

  assert.match(found?.text ?? "", /^groq 15\/1000 RPD/);
});

test("the last of a chain says when a better one is back", () => {
  const found = seen(chain({ serving: "gemini", skipped: [SPENT] }), { gemini: profile({ limits: [] }) });

  assert.equal(found?.text, "gemini ▸ groq back in 12 min 30 s");
});

test("nobody left is an alarm with who is back first", () => {
  const other = { profile: "gemini", reason: "cooldown", available_at: later(30) };

  const found = seen(chain({ serving: null, skipped: [SPENT, other] }));

  assert.equal(found?.text, "$(warning) nobody can serve ▸ gemini back in 30 s");
  assert.equal(found.alarming, true);
});

test("without a chain there is nothing to say", () => {
  assert.equal(glance(readStatus({}), "", ENGLISH, NOW), null);
  assert.equal(seen(chain({ profiles: [] })), null);
});

test("the chain that the settings name is shown, and another one where it is gone", () => {
  const chains = { first: chain({ serving: "gemini" }), coding: chain() };
  const status = readStatus({ chains, profiles: { groq: profile(), gemini: profile() } });

  assert.match(glance(status, "coding", ENGLISH, NOW)?.text ?? "", /^groq/);
  assert.match(glance(status, "gone", ENGLISH, NOW)?.text ?? "", /^gemini/);
});

test("the tooltip has every profile with its status, bars and when it is back", () => {
  const profiles = {
    groq: profile({ status: "exhausted", reason: "limit", until: later(750), limits: [limit({ used: 1000, remaining: 0 })] }),
    gemini: profile({ limits: [] }),
    spare: profile({ status: "disabled", reason: "by_hand" }),
  };

  const tooltip = seen(chain({ serving: "gemini", skipped: [SPENT], pinned: "groq" }), profiles)?.tooltip ?? "";

  const [head, groq, gemini, spare, links] = tooltip.split("\n\n");
  assert.equal(head, "**default** · $(pinned) groq");
  assert.equal(
    groq,
    "$(circle-slash) **groq** · exhausted · limit · back in 12 min 30 s  \n" +
      "`████████████` 1,000/1,000 RPD · 0 left · ↻ 1 h",
  );
  assert.equal(gemini, "$(circle-filled) ▸ **gemini** · active  \nlast hour: 3 requests, 812 tokens");
  assert.match(spare ?? "", /\*\*spare\*\* · disabled · by hand · not in this chain/);
  assert.match(links ?? "", /\[Unpin\]\(command:spillover\.unpin\)/);
});

test("an active profile that its chain skips says why", () => {
  const skipped = [{ profile: "groq", reason: "spend_gate", available_at: null }];

  assert.match(seen(chain({ serving: "gemini", skipped }))?.tooltip ?? "", /\*\*groq\*\* · active · spend gate/);
});

test("the first use of a limit is seen, and an overdrawn one fills its bar", () => {
  const bar = (used: number): string =>
    /`([█░]+)`/.exec(seen(chain(), { groq: profile({ limits: [limit({ used })] }) })?.tooltip ?? "")?.[1] ?? "";

  assert.deepEqual([0, 1, 500, 4_000].map((used) => bar(used).replaceAll("░", "").length), [0, 1, 6, 12]);
  assert.equal(bar(4_000).length, 12);
});

test("names can put nothing of theirs into line and tooltip", () => {
  const name = "$(zap)[x](command:workbench.action.quit)";
  const found = seen(chain({ serving: name, profiles: [name] }), { [name]: profile({ reason: name, status: name }) });

  assert.doesNotMatch(found?.text ?? "", /\$\(zap|\]\(/);
  assert.doesNotMatch(found?.tooltip ?? "", /\$\(zap|command:workbench/);
});

test("a tooltip of very many profiles stays readable", () => {
  const names = Array.from({ length: 64 }, (_, number) => `p${number}`);
  const profiles = Object.fromEntries(names.map((name) => [name, profile()]));

  assert.match(seen(chain({ serving: "p0", profiles: names }), profiles)?.tooltip ?? "", /and 40 more/);
});
