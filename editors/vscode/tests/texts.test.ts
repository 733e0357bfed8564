import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(__dirname, "../..");
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const texts = (name: string): Record<string, string> => JSON.parse(read(name)) as Record<string, string>;
const source = readdirSync(join(ROOT, "src")).map((name) => read(`src/${name}`)).join("\n");
const places = (text: string): string[] => (text.match(/\{\d\}/g) ?? []).sort();

test("every text has its Chinese, with the same places, and none is left over", () => {
  const bundle = texts("l10n/bundle.l10n.zh-cn.json");
  const used = new Set([...source.matchAll(/\bt\(\s*"((?:[^"\\]|\\.)+)"/g)].map((found) => JSON.parse(`"${found[1]}"`) as string));

  assert.ok(used.size > 60, `${used.size} found`);
  assert.deepEqual(Object.keys(bundle).sort(), [...used].sort());
  for (const [text, translated] of Object.entries(bundle)) assert.deepEqual(places(translated), places(text), text);
});

test("every name in the manifest has its texts in both languages", () => {
  const named = [...read("package.json").matchAll(/"%([^%"]+)%"/g)].map((found) => found[1]).sort();

  for (const name of ["package.nls.json", "package.nls.zh-cn.json"]) assert.deepEqual(Object.keys(texts(name)).sort(), named);
});

test("every command of the manifest is one of the extension's, and the other way round", () => {
  const manifest = JSON.parse(read("package.json")) as { contributes: { commands: { command: string }[] } };
  const acts = /const acts[^{]+\{([^]+?)\n {2}\};/.exec(source)?.[1] ?? "";

  const offered = manifest.contributes.commands.map(({ command }) => command).sort();
  const known = [...acts.matchAll(/^ {4}(\w+)/gm)].map((found) => `spillover.${found[1]}`).sort();

  assert.deepEqual(offered, known);
});

test("the lock holds no address", () => {
  assert.doesNotMatch(read("package-lock.json"), /https?:/);
});
