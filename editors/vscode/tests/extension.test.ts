import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Module from "node:module";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { Gateway } from "./gateway.js";
import { until } from "./making.js";
import { editor, env } from "./stand-in/vscode.js";

// `vscode` is found where the stand-in is, as an editor would bring it.
process.env.NODE_PATH = join(__dirname, "stand-in");
(Module as unknown as { _initPaths(): void })._initPaths();

const ADMIN_KEY = "sk-admin-of-an-editor-0123456789";
const CLIENT_KEY = "sk-client-of-an-editor-0123456789";
const ROOT = join(__dirname, "../..");
const { item } = editor;
const subscriptions: { dispose(): unknown }[] = [];
let gateway: Gateway;

const ask = (): Promise<string | null> => gateway.ask("default", { authorization: `Bearer ${CLIENT_KEY}` });

async function run(command: string, ...answers: (string | undefined)[]): Promise<void> {
  editor.answers.push(...answers);
  await editor.commands.get(`spillover.${command}`)?.();
  assert.deepEqual(editor.answers, [], "questions that were not asked");
}

before(async () => {
  gateway = await Gateway.started({ admin_key: ADMIN_KEY, client_keys: [CLIENT_KEY] });
  editor.settings.set("address", gateway.address);
  const { main } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { main: string };
  const { activate } = require(join(ROOT, main)) as { activate(context: object): Promise<void> };
  await activate({ subscriptions, secrets: editor.secrets });
});
beforeEach(() => {
  editor.shown.length = editor.offered.length = 0;
});
after(async () => {
  for (const each of subscriptions) await each.dispose();
  await gateway.end();
});

test("a gateway that asks for a key says so, and gets it from a command", async () => {
  await until("the key is asked for", () => item.text === "$(key) Spillover: admin key");
  assert.equal(item.command, "spillover.setAdminKey");

  await run("setAdminKey", ` ${ADMIN_KEY} `);

  await until("it is shown", () => item.text === "groq 0/2 RPM ▸ next gemini" && item.visible);
  assert.deepEqual([...editor.kept.values()], [ADMIN_KEY]);
  assert.deepEqual(item.tooltip?.isTrusted, {
    enabledCommands: ["spillover.openDashboard", "spillover.pin", "spillover.unpin", "spillover.clearUsage"],
  });
});

test("requests move the figures, and a spent quota is told of once", async () => {
  const served = [await ask(), await ask(), await ask(), await ask()];

  assert.deepEqual(served, ["groq", "groq", "gemini", "gemini"]);
  await until("who serves is shown", () => item.text.startsWith("gemini ▸ groq back in "));
  await until("it is told", () => editor.shown.length > 0);
  assert.match(editor.shown[0]?.text ?? "", /^Spillover: default: groq → gemini \(limit, back in [\d mins]+\)$/);
  assert.equal(editor.shown.length, 1);
  assert.match(item.tooltip?.value ?? "", /\*\*groq\*\* · exhausted · limit · back in/);
});

test("usage is cleared after a question, and only then", async () => {
  await run("clearUsage", "groq", undefined);
  assert.equal(await ask(), "gemini");

  await run("clearUsage", "groq", "Clear");

  assert.deepEqual(editor.offered.at(-1), ["All profiles", "groq", "gemini"]);
  await until("it serves again", () => item.text === "groq 0/2 RPM ▸ next gemini");
});

test("a profile is pinned in the chain that is picked, and unpinned", async () => {
  await run("pin", "default", "gemini");
  await until("it serves", () => /^gemini/.test(item.text));
  assert.match(item.tooltip?.value ?? "", /\$\(pinned\) gemini/);

  await run("unpin");
  await until("it is as before", () => /^groq/.test(item.text));
  await run("unpin");
  assert.equal(editor.shown.at(-1)?.text, "No profile is pinned.");
});

test("a profile is disabled, and only what is not active can be enabled", async () => {
  await run("disable", "groq");
  await until("the next one serves", () => /^gemini/.test(item.text));

  await run("enable", "groq");

  assert.deepEqual(editor.offered.at(-1), ["groq"]);
  await until("it serves again", () => /^groq/.test(item.text));
});

test("the dashboard opens in a browser", async () => {
  await run("openDashboard");

  assert.deepEqual(editor.opened, [`${gateway.address}/`]);
});

test("with notices turned off nothing is told", async () => {
  await editor.set("notices", false);
  await run("disable", "groq");
  await ask();
  await run("enable", "groq");
  await until("it is seen", () => /^groq/.test(item.text));
  await editor.set("notices", true);

  assert.deepEqual(editor.shown, []);
});

test("the texts are those of the editor's language", async () => {
  const bundle = readFileSync(join(ROOT, "l10n/bundle.l10n.zh-cn.json"), "utf8");
  for (const [text, translated] of Object.entries(JSON.parse(bundle) as Record<string, string>)) {
    editor.texts.set(text, translated);
  }
  env.language = "zh-cn";

  editor.focus.fire({ focused: true });

  await until("they are shown", () => item.text === "groq 0/2 RPM ▸ 下一个 gemini");
  assert.match(item.tooltip?.value ?? "", /剩余 2/);
  editor.texts.clear();
  env.language = "en";
});

test("another address hides all until its gateway is there, and gets no key of another's", async () => {
  await editor.set("address", "http://127.0.0.1:1");
  await until("it is hidden", () => !item.visible);
  await run("pin");
  assert.match(editor.shown.at(-1)?.text ?? "", /^Spillover: .*ECONNREFUSED/);

  await editor.set("address", "no address");
  await run("openDashboard");
  assert.match(editor.shown.at(-1)?.text ?? "", /spillover\.address is no address/);

  await editor.set("address", gateway.address);
  await until("it is back", () => item.visible);
});

test("a gateway that ends hides the item", async () => {
  await gateway.stop();

  await until("it is hidden", () => !item.visible);
});
