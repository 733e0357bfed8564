import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Client } from "../src/client.js";
import { FIRST_PAUSE_MS, Listener, MOST_PAUSE_MS, pause } from "../src/listener.js";
import type { Status } from "../src/values.js";
import { Gateway } from "./gateway.js";
import { until } from "./making.js";

let gateway: Gateway;
before(async () => {
  gateway = await Gateway.started();
});
after(() => gateway.end());

function listening(): { stood: (Status | "locked" | null)[]; heard: string[]; listener: Listener } {
  const stood: (Status | "locked" | null)[] = [];
  const heard: string[] = [];
  const listener = new Listener(new Client(gateway.address, undefined), {
    stands: (status) => stood.push(status),
    happened: ({ type }) => heard.push(type),
  });
  void listener.run();
  return { stood, heard, listener };
}

const there = (status: Status | "locked" | null | undefined): status is Status => status instanceof Object;

test("what happens is heard, and many events are one look", async () => {
  const { stood, heard, listener } = listening();
  await until("the first look", () => there(stood.at(-1)));
  const began = Date.now();

  await Promise.all(Array.from({ length: 20 }, () => gateway.ask()));
  const used = (): number => {
    const status = stood.at(-1);
    return there(status) ? (status.profiles.get("gemini")?.lastHour.requests ?? 0) : 0;
  };
  await until("all are seen", () => used() === 18);
  listener.close();

  assert.equal(heard.filter((type) => type === "request.done").length, 20);
  const seconds = Math.ceil((Date.now() - began) / 1_000);
  assert.ok(stood.length <= seconds + 2, `${stood.length} looks in ${seconds} s`);
});

test("a gateway that goes and comes back is noticed both times", async () => {
  const { stood, listener } = listening();
  await until("the first look", () => there(stood.at(-1)));

  await gateway.stop();
  await until("it is away", () => stood.at(-1) === null);
  await gateway.start();
  listener.nudge();
  await until("it is back", () => there(stood.at(-1)));

  listener.close();
});

test("a closed listener says nothing any more", async () => {
  const { stood, listener } = listening();
  await until("the first look", () => there(stood.at(-1)));
  listener.close();
  const before = stood.length;

  await gateway.ask();

  assert.equal(stood.length, before);
});

test("pauses double up to a bound, and several editors spread", () => {
  assert.deepEqual([1, 2, 3, 4, 50].map((failures) => pause(failures, 1)), [1, 2, 4, 8, MOST_PAUSE_MS / 1_000].map((s) => s * 1_000));
  assert.equal(pause(1, 0), FIRST_PAUSE_MS * 0.75);
});
