/**
 * Speak HTTP with the gateway: its status, its events, and what is changed by hand.
 *
 * `node:http` rather than `fetch`, which editors may route through a browser's stack: it would say that a
 * page asks. No redirect is followed, so the admin key goes to the address that it was given for alone.
 */

import * as http from "node:http";
import * as https from "node:https";

import { EventReader, type ServerEvent } from "./sse.js";
import { readStatus, type Status } from "./values.js";

const ANSWER_MS = 10_000;
/** The gateway says every 15 s that it is still there. */
const SILENCE_MS = 45_000;
const MOST_BYTES = 16_000_000;

/** The gateway said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Return scheme, host and port of an address as it was written; null when it is none. */
export function originOf(written: string): string | null {
  try {
    const url = new URL(written.trim());
    const usable = /^https?:$/.test(url.protocol) && !url.username && !url.password;
    return usable && url.pathname === "/" && !url.search && !url.hash ? url.origin : null;
  } catch {
    return null;
  }
}

export class Client {
  /** `origin`: scheme, host and port. */
  constructor(
    readonly origin: string,
    readonly adminKey: string | undefined,
  ) {}

  async status(signal?: AbortSignal): Promise<Status> {
    return readStatus(await this.#json("GET", "/api/status", undefined, signal));
  }

  /** Put a profile first in a chain; null undoes it. */
  async pin(chain: string, profile: string | null): Promise<void> {
    await this.#json("POST", `/api/chains/${encodeURIComponent(chain)}/pin`, { profile });
  }

  /** Zero a profile's usage; null: everyone's. */
  async clearUsage(profile: string | null): Promise<void> {
    await this.#json("POST", "/api/usage/clear", profile === null ? {} : { profile });
  }

  async switch(profile: string, way: "enable" | "disable"): Promise<void> {
    await this.#json("POST", `/api/profiles/${encodeURIComponent(profile)}/${way}`, {});
  }

  /** Hand each event to `heard`, and `null` once listening began; ends with an error, if only that the stream did. */
  async follow(after: string, heard: (event: ServerEvent | null) => void, signal: AbortSignal): Promise<never> {
    const response = await this.#send("GET", "/api/events", after ? { "last-event-id": after } : {}, { signal });
    if (response.statusCode !== 200) throw refusal(response, await read(response));
    response.socket.setTimeout(SILENCE_MS, () => response.destroy(new Error("the gateway fell silent")));
    heard(null);
    const reader = new EventReader();
    response.setEncoding("utf8");
    for await (const piece of response) {
      for (const event of reader.read(piece as string)) heard(event);
    }
    throw new Error("the gateway ended its events");
  }

  async #json(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const limit = AbortSignal.timeout(ANSWER_MS);
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const response = await this.#send(method, path, {}, { body, signal: either });
    const text = await read(response);
    if (response.statusCode !== 200) throw refusal(response, text);
    return JSON.parse(text);
  }

  #send(
    method: string,
    path: string,
    more: http.OutgoingHttpHeaders,
    { body, signal }: { body?: object | undefined; signal: AbortSignal },
  ): Promise<http.IncomingMessage> {
    const headers: http.OutgoingHttpHeaders = { accept: "application/json, text/event-stream", ...more };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.adminKey) headers.authorization = `Bearer ${this.adminKey}`;
    const url = new URL(path, this.origin);
    const { request } = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      // No agent: a connection of its own, gone with its answer.
      const sent = request(url, { method, headers, signal, agent: false, timeout: ANSWER_MS }, resolve);
      sent.on("timeout", () => sent.destroy(new Error("the gateway did not answer in time")));
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

async function read(response: http.IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const piece of response) {
    text += piece as string;
    if (text.length > MOST_BYTES) throw new Error("the answer is too long for a gateway's");
  }
  return text;
}

function refusal(response: http.IncomingMessage, text: string): Refused {
  const status = response.statusCode ?? 0;
  let said: unknown;
  try {
    said = (JSON.parse(text) as { error?: { message?: unknown } } | null)?.error?.message;
  } catch {
    // Whatever else answers there speaks no JSON.
  }
  return new Refused(status, typeof said === "string" ? said : `HTTP ${status}`);
}
