import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { Client, originOf, Refused } from "../src/client.js";
import { Gateway } from "./gateway.js";

const ADMIN_KEY = "sk-admin-of-an-editor-0123456789";
const CLIENT_KEY = "sk-client-of-an-editor-0123456789";
let gateway: Gateway;
let client: Client;

before(async () => {
  gateway = await Gateway.started({ admin_key: ADMIN_KEY, client_keys: [CLIENT_KEY] });
  client = new Client(gateway.address, ADMIN_KEY);
});
after(() => gateway.end());

const ask = (): Promise<string | null> => gateway.ask("default", { authorization: `Bearer ${CLIENT_KEY}` });

test("a profile is pinned and unpinned", async () => {
  await client.pin("default", "gemini");
  const pinned = (await client.status()).chains.get("default");
  await client.pin("default", null);

  assert.equal(pinned?.pinned, "gemini");
  assert.equal(pinned.serving, "gemini");
  assert.equal((await client.status()).chains.get("default")?.pinned, null);
});

test("a profile is taken out and let in again", async () => {
  await client.switch("groq", "disable");
  const without = await client.status();
  await client.switch("groq", "enable");

  assert.equal(without.profiles.get("groq")?.status, "disabled");
  assert.equal((await client.status()).profiles.get("groq")?.status, "active");
});

test("usage is seen and cleared, for one and for all", async () => {
  const used = async (): Promise<number | undefined> => (await client.status()).profiles.get("groq")?.limits[0]?.used;

  assert.equal(await ask(), "groq");
  assert.equal(await used(), 1);
  await client.clearUsage("groq");
  assert.equal(await used(), 0);
  assert.equal(await ask(), "groq");
  await client.clearUsage(null);
  assert.equal(await used(), 0);
});

test("a wrong key is refused in the gateway's words, at every door", async () => {
  const stranger = new Client(gateway.address, "sk-wrong");
  const locked = (error: unknown): boolean => error instanceof Refused && error.status === 401 && /admin key/.test(error.message);

  await assert.rejects(stranger.status(), locked);
  await assert.rejects(stranger.follow("", () => assert.fail("heard"), new AbortController().signal), locked);
  await assert.rejects(new Client(gateway.address, undefined).clearUsage(null), locked);
});

test("a profile that is gone is refused, whatever its name", async () => {
  await assert.rejects(client.switch("../usage/clear?", "disable"), (error) => error instanceof Refused && error.status === 404);
});

test("the key follows no redirect", async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  await assert.rejects(new Client(`http://127.0.0.1:${port}`, "sk-one").status(), /HTTP 302/);
  server.close();

  assert.deepEqual(seen, ["/api/status Bearer sk-one"]);
});

test("an address is scheme, host and port, and nothing else", () => {
  assert.equal(originOf(" http://127.0.0.1:4400/ "), "http://127.0.0.1:4400");
  assert.equal(originOf("https://[::1]"), "https://[::1]");
  for (const wrong of ["", "127.0.0.1:4400", "file:///etc", "http://a:b@c", "http://a/path", "http://a/?key=x"]) {
    assert.equal(originOf(wrong), null, wrong);
  }
});
