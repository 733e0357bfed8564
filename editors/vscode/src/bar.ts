/** Show in the status bar how things stand, or nothing when there is nothing to say. */

import * as vscode from "vscode";

import { glance } from "./glance.js";
import { language } from "./language.js";
import type { Status } from "./values.js";

/** Countdowns go on between two looks. */
const REDRAW_MS = 5_000;
const LINKED = ["spillover.openDashboard", "spillover.pin", "spillover.unpin", "spillover.clearUsage"];

export class Bar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #timer: NodeJS.Timeout;
  #status: Status | "locked" | null = null;
  #tooltip = "";

  constructor(readonly wanted: () => string) {
    this.#item = vscode.window.createStatusBarItem("spillover", vscode.StatusBarAlignment.Right, 100);
    this.#item.name = "Spillover";
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  show(status: Status | "locked" | null): void {
    this.#status = status;
    this.#draw();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#item.dispose();
  }

  #draw(): void {
    const item = this.#item;
    const status = this.#status;
    if (status === "locked") {
      item.text = `$(key) ${vscode.l10n.t("Spillover: admin key")}`;
      this.#explain(vscode.l10n.t("The gateway asks for its admin key."));
      item.command = "spillover.setAdminKey";
      item.backgroundColor = undefined;
      item.show();
      return;
    }
    const found = status === null ? null : glance(status, this.wanted(), language(), Date.now());
    if (found === null) {
      item.hide();
      return;
    }
    item.text = found.text;
    item.command = "spillover.openDashboard";
    item.backgroundColor = found.alarming ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.#explain(found.tooltip);
    item.show();
  }

  /** Set the tooltip; one that is open would flicker if it were set anew without need. */
  #explain(markdown: string): void {
    if (markdown === this.#tooltip) return;
    this.#tooltip = markdown;
    const tooltip = new vscode.MarkdownString(markdown, true);
    tooltip.isTrusted = { enabledCommands: LINKED };
    this.#item.tooltip = tooltip;
  }
}
