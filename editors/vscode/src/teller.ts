/** Tell transitions as the editor's notices, folded, unless the settings turn them off. */

import * as vscode from "vscode";

import { Folding } from "./folding.js";
import { language } from "./language.js";
import { Transitions } from "./transitions.js";
import type { Happening, Status } from "./values.js";

export class Teller implements vscode.Disposable {
  readonly #transitions = new Transitions();
  readonly #folding = new Folding();
  #timer: NodeJS.Timeout | undefined;
  #begun = false;

  /** Take how things stand, so that what was so before is not told as news. */
  stands(status: Status): void {
    if (!this.#begun) this.#transitions.begin(status, Date.now());
    this.#begun = true;
  }

  see(event: Happening): void {
    const now = Date.now();
    const notice = this.#transitions.see(event, language(), now);
    if (notice === null || !wanted()) return;
    this.#folding.add(notice, now);
    this.#plan();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const { due } = this.#folding;
    if (due !== null) this.#timer = setTimeout(() => void this.#tell(), Math.max(0, due - Date.now()));
  }

  async #tell(): Promise<void> {
    const told = this.#folding.take(language(), Date.now());
    this.#plan();
    if (told === null || !wanted()) return;
    const open = vscode.l10n.t("Open Dashboard");
    const off = vscode.l10n.t("Turn off");
    const show = told.grave ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
    const answer = await show(`Spillover: ${told.text}`, open, off);
    if (answer === open) await vscode.commands.executeCommand("spillover.openDashboard");
    if (answer === off) {
      await vscode.workspace.getConfiguration("spillover").update("notices", false, vscode.ConfigurationTarget.Global);
    }
  }
}

function wanted(): boolean {
  return vscode.workspace.getConfiguration("spillover").get("notices", true);
}
