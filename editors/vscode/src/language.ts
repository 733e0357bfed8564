/** The editor's language, for those who know no editor. */

import * as vscode from "vscode";

import type { Language } from "./words.js";

export function language(): Language {
  return { t: (message, ...args) => vscode.l10n.t(message, ...args), locale: vscode.env.language };
}
