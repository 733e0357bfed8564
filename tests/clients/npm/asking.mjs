// Asks as users of the SDKs do, each with its own client and exceptions; see ../npm_sdks.py.
//
// Runs beside a `node_modules`: it is told an address and its keys, and where upstreams are scripted.

import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const told = JSON.parse(process.argv[2]);
const upstreams = Object.keys(told.controls);
const prompt = "use the weather tool";
const parameters = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
const described = { name: "weather", description: "The weather at a place." };
const Weather = z.object({ place: z.string(), degrees: z.number() });
const broken = {
  cut: [{ break: "close", after: 2 }, /broke off/],
  stalled: [{ break: "stall", after: 2 }, /broke off|stall/],
  failed: [{ error: "server_error", after: 2 }, /broke off/],
};
const limited = { error: "rate_limited" };
const limitedShortly = { error: "rate_limited", headers: { "retry-after": "1" } };

async function post(address, body, headers = {}) {
  const sent = { method: "POST", body: JSON.stringify(body), headers };
  const answer = await fetch(address, sent);
  assert.equal(answer.status, 200, await answer.text());
}

// Spoil an upstream's next answer.
const script = (upstream, fault) => post(`${told.controls[upstream]}/faults`, { fault });

const admin = { "content-type": "application/json", authorization: `Bearer ${told.adminKey}` };

async function lastError(upstream) {
  const answer = await fetch(`${told.address}/api/status`, { headers: admin });
  return (await answer.json()).profiles[upstream].last_error?.at;
}

// Spoil an upstream's next answer, and take back what was learned of it when it is learned.
async function spoiled(upstream, fault, act) {
  const before = await lastError(upstream);
  await script(upstream, fault);
  await act();
  const deadline = Date.now() + 60_000;
  while ((await lastError(upstream)) === before) assert.ok(Date.now() < deadline, upstream);
  await post(`${told.address}/api/usage/clear`, {}, admin);
}

async function drained(asked) {
  const pieces = [];
  for await (const piece of await asked) pieces.push(piece);
  return pieces;
}

// What every SDK gets through, whoever answers: `text` and `stream` ask for words, `call` takes a turn
// with a tool and returns the last words, `parsed` an object of a schema.
async function throughAll(name, { APIError, RateLimitError }, { text, stream, call, parsed }) {
  for (const upstream of upstreams) {
    const where = `${name}, ${upstream}`;
    const whole = await text(upstream);
    assert.match(whole, /answering/, where);
    assert.equal(await stream(upstream), whole, where);
    assert.match(await call(upstream), /answering/, where);
    assert.deepEqual(await parsed(upstream), { place: "simulated", degrees: 1 }, where);
    await spoiled(upstream, limited, async () => {
      assert.match(await call(`${upstream}-first`), /answering/, where);
    });
    await spoiled(upstream, limited, () => assert.rejects(text(upstream), RateLimitError, where));
    for (const [kind, [fault, message]] of Object.entries(broken)) {
      const isTold = (error) => {
        assert.ok(error instanceof APIError, `${where} ${kind}: ${error.constructor.name} ${error}`);
        assert.match(error.message, message, `${where} ${kind}`);
        return true;
      };
      const ask = () => assert.rejects(stream(`${upstream}-first`), isTold);
      await spoiled(upstream, fault, ask);
    }
  }
  console.log(`${name}: ${upstreams.length} upstreams`);
}

// Errors before an answer, each of the SDK's own class; a refusal that a wait of a second mends.
async function refused(name, SDK, client, { ask, malformed }) {
  const { AuthenticationError, BadRequestError, NotFoundError, APIConnectionTimeoutError } = SDK;
  await assert.rejects(ask(client, "nobody"), NotFoundError, name);
  await assert.rejects(malformed(client), BadRequestError, name);
  const stranger = client.withOptions({ apiKey: "sk-not-this-one" });
  await assert.rejects(ask(stranger, "chat"), AuthenticationError, name);
  await script("chat", { delay_s: 5 });
  const hasty = client.withOptions({ timeout: 300 });
  await assert.rejects(ask(hasty, "chat"), APIConnectionTimeoutError, name);
  await spoiled("chat", limitedShortly, async () => {
    const began = Date.now();
    assert.match(await ask(client.withOptions({ maxRetries: 1 }), "chat"), /answering/, name);
    assert.ok(Date.now() - began >= 900, `${name} did not wait as it was told`);
  });
  console.log(`${name}: its errors and retries`);
}

async function openaiChat(client) {
  const messages = [{ role: "user", content: "hello" }];
  const chat = client.chat.completions;
  const text = async (model, by = chat) =>
    (await by.create({ model, messages })).choices[0].message.content;
  await throughAll("openai, chat", OpenAI, {
    text,
    async stream(model) {
      const pieces = await drained(chat.create({ model, messages, stream: true }));
      return pieces.map((piece) => piece.choices[0]?.delta.content ?? "").join("");
    },
    async call(model) {
      const places = [];
      const weather = ({ place }) => places.push(place) && "sunny";
      const tool = { ...described, parameters, function: weather, parse: JSON.parse };
      const asked = { model, messages: [{ role: "user", content: prompt }], stream: true };
      const runner = chat.runTools({ ...asked, tools: [{ type: "function", function: tool }] });
      const last = await runner.finalContent();
      assert.deepEqual(places, ["simulated"], model);
      return last;
    },
    async parsed(model) {
      const form = zodResponseFormat(Weather, "weather");
      return (await chat.parse({ model, messages, response_format: form })).choices[0].message.parsed;
    },
  });
  await refused("openai, chat", OpenAI, client, {
    ask: (by, model) => text(model, by.chat.completions),
    malformed: (by) => by.chat.completions.create({ model: "chat", messages: "hello" }),
  });
}

async function openaiResponses(client) {
  const text = async (model, by = client) =>
    (await by.responses.create({ model, input: "hello" })).output_text;
  await throughAll("openai, responses", OpenAI, {
    text,
    async stream(model) {
      const pieces = await drained(client.responses.create({ model, input: "hello", stream: true }));
      assert.equal(pieces.at(-1).type, "response.completed", model);
      return pieces.map((piece) => (piece.type.endsWith("text.delta") ? piece.delta : "")).join("");
    },
    async call(model) {
      const tools = [{ type: "function", ...described, parameters, strict: false }];
      const first = await client.responses
        .stream({ model, input: prompt, tools })
        .finalResponse();
      const called = first.output.find((item) => item.type === "function_call");
      assert.deepEqual(JSON.parse(called.arguments), { place: "simulated" }, model);
      const output = { type: "function_call_output", call_id: called.call_id, output: "sunny" };
      const asked = { model, tools, previous_response_id: first.id, input: [output] };
      return (await client.responses.create(asked)).output_text;
    },
    async parsed(model) {
      const text = { format: zodTextFormat(Weather, "weather") };
      return (await client.responses.parse({ model, input: "hello", text })).output_parsed;
    },
  });
  await refused("openai, responses", OpenAI, client, {
    ask: (by, model) => text(model, by),
    malformed: (by) => by.responses.create({ model: "chat", input: 7 }),
  });
  assert.ok((await drained(client.models.list())).length >= upstreams.length);
}

async function anthropic(client) {
  const messages = [{ role: "user", content: "hello" }];
  const asked = { max_tokens: 99, messages };
  const text = async (model, by = client) =>
    (await by.messages.create({ ...asked, model })).content[0].text;
  await throughAll("anthropic", Anthropic, {
    text,
    stream: (model) => client.messages.stream({ ...asked, model }).finalText(),
    async call(model) {
      const places = [];
      const run = ({ place }) => places.push(place) && "sunny";
      const tools = [betaTool({ ...described, inputSchema: parameters, run })];
      const turn = { ...asked, model, messages: [{ role: "user", content: prompt }], tools };
      const last = await client.beta.messages.toolRunner({ ...turn, stream: false });
      assert.deepEqual(places, ["simulated"], model);
      return last.content[0].text;
    },
    async parsed(model) {
      const output_config = { format: zodOutputFormat(Weather) };
      return (await client.messages.parse({ ...asked, model, output_config })).parsed_output;
    },
  });
  await refused("anthropic", Anthropic, client, {
    ask: (by, model) => text(model, by),
    malformed: (by) => by.messages.create({ model: "chat", messages, max_tokens: "many" }),
  });
  const counted = await client.messages.countTokens({ model: "chat", messages });
  assert.ok(counted.input_tokens > 0);
  assert.ok((await drained(client.models.list())).length >= upstreams.length);
}

const openai = new OpenAI({ baseURL: `${told.address}/v1`, apiKey: told.key, maxRetries: 0 });
await openaiChat(openai);
await openaiResponses(openai);
await anthropic(new Anthropic({ baseURL: told.address, apiKey: told.key, maxRetries: 0 }));
