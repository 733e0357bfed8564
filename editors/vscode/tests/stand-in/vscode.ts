/**
 * Stands in for the editor's own module, which exists inside an editor alone: so much of it as the
 * extension calls. What it shows is in `editor`, and a person's answers are put there.
 */

type Heard<T> = (event: T) => unknown;

class Emitter<T> {
  readonly #heard = new Set<Heard<T>>();
  readonly event = (listener: Heard<T>): { dispose(): void } => {
    this.#heard.add(listener);
    return { dispose: () => this.#heard.delete(listener) };
  };
  async fire(event: T): Promise<void> {
    for (const each of this.#heard) await each(event);
  }
}

export interface Picked {
  readonly label: string;
}

export class MarkdownString {
  isTrusted: unknown;
  constructor(
    readonly value: string,
    readonly supportThemeIcons = false,
  ) {}
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export const StatusBarAlignment = { Left: 1, Right: 2 };
export const ConfigurationTarget = { Global: 1 };
export const Uri = { parse: (text: string) => text };

const item = {
  visible: false,
  disposed: false,
  text: "",
  name: "",
  command: "",
  backgroundColor: undefined as ThemeColor | undefined,
  tooltip: undefined as MarkdownString | undefined,
  show(): void {
    item.visible = true;
  },
  hide(): void {
    item.visible = false;
  },
  dispose(): void {
    item.disposed = true;
  },
};

const settings = new Map<string, unknown>();
const changes = new Emitter<{ affectsConfiguration(section: string): boolean }>();
const focus = new Emitter<{ focused: boolean }>();
const secretChanges = new Emitter<{ key: string }>();
const kept = new Map<string, string>();

export const editor = {
  item,
  settings,
  focus,
  kept,
  texts: new Map<string, string>(),
  commands: new Map<string, () => Promise<void>>(),
  shown: [] as { grave: boolean; text: string }[],
  opened: [] as string[],
  offered: [] as string[][],
  /** Labels to pick, the text to type, the buttons to press: each the next answer. */
  answers: [] as (string | undefined)[],
  async set(name: string, value: unknown): Promise<void> {
    settings.set(name, value);
    await changes.fire({ affectsConfiguration: (section) => `spillover.${name}`.startsWith(section) });
  },
  secrets: {
    get: async (name: string) => kept.get(name),
    async store(name: string, value: string): Promise<void> {
      kept.set(name, value);
      await secretChanges.fire({ key: name });
    },
    async delete(name: string): Promise<void> {
      kept.delete(name);
      await secretChanges.fire({ key: name });
    },
    onDidChange: secretChanges.event,
  },
};

function message(grave: boolean) {
  return async (text: string, ...buttons: unknown[]): Promise<string | undefined> => {
    editor.shown.push({ grave, text });
    const answer = buttons.length > 0 ? editor.answers.shift() : undefined;
    return buttons.includes(answer) ? answer : undefined;
  };
}

export const window = {
  createStatusBarItem: () => item,
  onDidChangeWindowState: focus.event,
  showInformationMessage: message(false),
  showWarningMessage: message(true),
  showErrorMessage: message(true),
  async showQuickPick(items: readonly Picked[]): Promise<Picked | undefined> {
    editor.offered.push(items.map(({ label }) => label));
    const wanted = editor.answers.shift();
    return items.find(({ label }) => label === wanted);
  },
  showInputBox: async (): Promise<string | undefined> => editor.answers.shift(),
};

export const workspace = {
  getConfiguration: () => ({
    get: (name: string, usual: unknown) => settings.get(name) ?? usual,
    update: (name: string, value: unknown) => editor.set(name, value),
  }),
  onDidChangeConfiguration: changes.event,
};

export const commands = {
  registerCommand(name: string, act: () => Promise<void>): { dispose(): void } {
    editor.commands.set(name, act);
    return { dispose: () => editor.commands.delete(name) };
  },
  executeCommand: (name: string) => editor.commands.get(name)?.(),
};

export const env = {
  language: "en",
  openExternal: async (address: string): Promise<boolean> => editor.opened.push(address) > 0,
};

export const l10n = {
  t: (text: string, ...args: string[]): string =>
    (editor.texts.get(text) ?? text).replace(/\{(\d)\}/g, (_, place: string) => args[Number(place)] ?? `{${place}}`),
};
