/** What a person does from the editor: each command asks, has the gateway do it, and says what it said. */

import * as vscode from "vscode";

import type { Client } from "./client.js";
import { shownChain } from "./glance.js";
import type { Chain, Profile, Status } from "./values.js";
import { plain, statusName } from "./words.js";
import { language } from "./language.js";

const LONGEST = 300;

/** What the commands need of the rest. */
export interface Desk {
  readonly client: Client | null;
  /** The chain that the status bar shows. */
  readonly wanted: string;
  /** Keep the admin key of the gateway; "" forgets it. */
  keepKey(key: string): Promise<void>;
  /** Something was changed. */
  changed(): void;
}

export function register(desk: Desk): vscode.Disposable[] {
  const acts: Readonly<Record<string, (client: Client) => Promise<void>>> = {
    openDashboard,
    pin: (client) => pin(client, desk.wanted),
    unpin: (client) => unpin(client, desk.wanted),
    clearUsage,
    disable: (client) => switchOne(client, "disable"),
    enable: (client) => switchOne(client, "enable"),
    setAdminKey: (client) => setAdminKey(client, desk),
  };
  return Object.entries(acts).map(([name, act]) =>
    vscode.commands.registerCommand(`spillover.${name}`, () => attempt(desk, act)),
  );
}

async function attempt(desk: Desk, act: (client: Client) => Promise<void>): Promise<void> {
  const { client } = desk;
  if (client === null) {
    await vscode.window.showErrorMessage(vscode.l10n.t("spillover.address is no address: write scheme, host and port."));
    return;
  }
  try {
    await act(client);
  } catch (error) {
    const said = plain(error instanceof Error ? error.message : String(error), LONGEST);
    await vscode.window.showErrorMessage(vscode.l10n.t("Spillover: {0}", said));
  }
  desk.changed();
}

async function openDashboard({ origin }: Client): Promise<void> {
  await vscode.env.openExternal(vscode.Uri.parse(`${origin}/`, true));
}

async function pin(client: Client, wanted: string): Promise<void> {
  const status = await client.status();
  const chain = await chosenChain(status, wanted, [...status.chains.values()]);
  if (chain === undefined) return;
  const profile = await chosen(
    vscode.l10n.t("Which profile is to come first in {0}?", plain(chain.name)),
    chain.profiles.flatMap((name) => status.profiles.get(name) ?? []),
  );
  if (profile !== undefined) await client.pin(chain.name, profile.name);
}

async function unpin(client: Client, wanted: string): Promise<void> {
  const status = await client.status();
  const pinned = [...status.chains.values()].filter((chain) => chain.pinned !== null);
  if (pinned.length === 0) {
    await vscode.window.showInformationMessage(vscode.l10n.t("No profile is pinned."));
    return;
  }
  const chain = await chosenChain(status, wanted, pinned);
  if (chain !== undefined) await client.pin(chain.name, null);
}

async function clearUsage(client: Client): Promise<void> {
  const status = await client.status();
  const all = { label: vscode.l10n.t("All profiles"), profile: null };
  const picked = await vscode.window.showQuickPick(
    [all, ...[...status.profiles.values()].map((profile) => ({ ...item(profile), profile: profile.name }))],
    { placeHolder: vscode.l10n.t("Whose usage is to be cleared?") },
  );
  if (picked === undefined) return;
  const yes = vscode.l10n.t("Clear");
  const answer = await vscode.window.showWarningMessage(
    picked.profile === null
      ? vscode.l10n.t("Clear the usage of all profiles?")
      : vscode.l10n.t("Clear the usage of {0}?", picked.label),
    { modal: true, detail: vscode.l10n.t("Counts begin at zero, and cooldowns and spent quotas end. The provider's own count stays.") },
    yes,
  );
  if (answer === yes) await client.clearUsage(picked.profile);
}

async function switchOne(client: Client, way: "enable" | "disable"): Promise<void> {
  const { profiles } = await client.status();
  const disabling = way === "disable";
  // Enabling ends what was learned of failures too.
  const fit = [...profiles.values()].filter(({ status }) => (disabling ? status !== "disabled" : status !== "active"));
  if (fit.length === 0) {
    await vscode.window.showInformationMessage(
      disabling ? vscode.l10n.t("Every profile is disabled.") : vscode.l10n.t("Every profile is active."),
    );
    return;
  }
  const question = disabling ? vscode.l10n.t("Which profile is to be disabled?") : vscode.l10n.t("Which profile is to be enabled?");
  const profile = await chosen(question, fit);
  if (profile !== undefined) await client.switch(profile.name, way);
}

async function setAdminKey({ origin }: Client, desk: Desk): Promise<void> {
  const key = await vscode.window.showInputBox({
    password: true,
    ignoreFocusOut: true,
    prompt: vscode.l10n.t("server.admin_key of {0}; leave it empty to forget the key", origin),
  });
  if (key !== undefined) await desk.keepKey(key.trim());
}

async function chosenChain(status: Status, wanted: string, chains: readonly Chain[]): Promise<Chain | undefined> {
  if (chains.length < 2) return chains[0];
  const first = shownChain(status, wanted);
  const sorted = [...chains].sort((one, other) => Number(other === first) - Number(one === first));
  const picked = await vscode.window.showQuickPick(
    sorted.map((chain) => ({ label: plain(chain.name), description: plain(chain.pinned ?? chain.serving ?? ""), chain })),
    { placeHolder: vscode.l10n.t("In which chain?") },
  );
  return picked?.chain;
}

async function chosen(placeHolder: string, profiles: readonly Profile[]): Promise<Profile | undefined> {
  const picked = await vscode.window.showQuickPick(
    profiles.map((profile) => ({ ...item(profile), profile })),
    { placeHolder },
  );
  return picked?.profile;
}

function item(profile: Profile): { label: string; description: string } {
  return { label: plain(profile.name), description: `${statusName(language(), profile.status)} · ${plain(profile.tier)}` };
}
