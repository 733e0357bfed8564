/** Put the parts together: one gateway at a time, and another one when address or key change. */

import * as vscode from "vscode";

import { Bar } from "./bar.js";
import { Client, originOf } from "./client.js";
import { register } from "./commands.js";
import { Listener } from "./listener.js";
import { Teller } from "./teller.js";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const extension = new Extension(context.secrets);
  context.subscriptions.push(
    extension,
    ...register(extension),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("spillover.address")) await extension.connect();
      else if (change.affectsConfiguration("spillover")) extension.changed();
    }),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) extension.changed();
    }),
    // Another window may have been given the key.
    context.secrets.onDidChange(({ key }) => (extension.keepsAt(key) ? extension.connect() : undefined)),
  );
  await extension.connect();
}

class Extension implements vscode.Disposable {
  readonly #bar = new Bar(() => this.wanted);
  #teller = new Teller();
  #listener: Listener | undefined;
  #connecting = 0;

  constructor(readonly secrets: vscode.SecretStorage) {}

  get client(): Client | null {
    return this.#listener?.client ?? null;
  }

  get wanted(): string {
    return vscode.workspace.getConfiguration("spillover").get("chain", "");
  }

  /** Leave the gateway and stay with the one that the settings name. */
  async connect(): Promise<void> {
    const turn = ++this.#connecting;
    const origin = originOf(vscode.workspace.getConfiguration("spillover").get("address", ""));
    const key = origin === null ? undefined : await this.secrets.get(keptAt(origin));
    // Whoever came later has the last word.
    if (turn !== this.#connecting) return;
    this.#leave();
    if (origin === null) return;
    const teller = this.#teller;
    this.#listener = new Listener(new Client(origin, key), {
      stands: (status) => {
        this.#bar.show(status);
        if (status instanceof Object) teller.stands(status);
      },
      happened: (event) => teller.see(event),
    });
    void this.#listener.run();
  }

  async keepKey(key: string): Promise<void> {
    const origin = this.client?.origin;
    if (origin === undefined) return;
    if (key) await this.secrets.store(keptAt(origin), key);
    else await this.secrets.delete(keptAt(origin));
  }

  keepsAt(name: string): boolean {
    const origin = this.client?.origin;
    return origin !== undefined && name === keptAt(origin);
  }

  changed(): void {
    this.#listener?.nudge();
  }

  dispose(): void {
    this.#connecting += 1;
    this.#leave();
    this.#teller.dispose();
    this.#bar.dispose();
  }

  #leave(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#teller.dispose();
    this.#teller = new Teller();
    this.#bar.show(null);
  }
}

/** A key is for one gateway: another address gets none. */
function keptAt(origin: string): string {
  return `adminKey ${origin}`;
}
