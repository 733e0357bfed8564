/**
 * A real gateway over simulated providers, each a process of its own, started by `$SPILLOVER_PYTHON`.
 *
 * `groq` comes first and takes two requests a minute, `gemini` is next.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PYTHON = process.env.SPILLOVER_PYTHON ?? join(__dirname, "../../../../.venv/bin/python");

export class Gateway {
  readonly folder = mkdtempSync(join(tmpdir(), "spillover-"));
  readonly #providers: ChildProcess[] = [];
  #serving: ChildProcess | undefined;
  address = "";

  static async started(server: object = {}): Promise<Gateway> {
    const gateway = new Gateway();
    const [groq, gemini] = await Promise.all([gateway.#provider("groq"), gateway.#provider("openai")]);
    const far = { api_key: "sk-any", model: "any", tier: "free" };
    const document = {
      server,
      storage: "memory",
      profiles: {
        groq: { ...far, base_url: groq, limits: { requests_per_minute: 2 } },
        gemini: { ...far, base_url: gemini },
      },
      chains: { default: ["groq", "gemini"], alone: ["groq"] },
    };
    writeFileSync(join(gateway.folder, "spillover.yaml"), JSON.stringify(document));
    await gateway.start();
    return gateway;
  }

  /** Serve, at the address of before if there was one. */
  async start(): Promise<void> {
    const port = this.address ? new URL(this.address).port : "0";
    const config = join(this.folder, "spillover.yaml");
    this.#serving = this.#run(["-m", "spillover", "serve", "--config", config, "--port", port]);
    this.address = await said(this.#serving, (line) => /^Spillover \S+ on (http:\S+)/.exec(line)?.[1]);
  }

  async stop(): Promise<void> {
    await ended(this.#serving);
  }

  async end(): Promise<void> {
    await Promise.all([this.#serving, ...this.#providers].map(ended));
    rmSync(this.folder, { recursive: true });
  }

  /** Send a chat request to a chain, and return who answered. */
  async ask(model = "default", headers: Record<string, string> = {}): Promise<string | null> {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] });
    const answer = await fetch(`${this.address}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    await answer.text();
    return answer.headers.get("x-spillover-profile");
  }

  async #provider(flavour: string): Promise<string> {
    const child = this.#run(["-m", "spillover.simulator", "--flavour", flavour]);
    this.#providers.push(child);
    return await said(child, (line) => (JSON.parse(line) as { base_url: string }).base_url);
  }

  #run(words: string[]): ChildProcess {
    const env = { ...process.env, SPILLOVER_STATE_DIR: join(this.folder, "state"), PYTHONUNBUFFERED: "1" };
    return spawn(PYTHON, words, { cwd: this.folder, env, stdio: ["ignore", "pipe", "inherit"] });
  }
}

/** Return what is looked for in the lines that a process writes. */
function said(child: ChildProcess, find: (line: string) => string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${child.spawnargs.join(" ")}: exit ${code}`)));
    if (child.stdout === null) throw new Error("its lines are read");
    createInterface(child.stdout).on("line", (line) => {
      const found = find(line);
      if (found !== undefined) resolve(found);
    });
  });
}

function ended(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
