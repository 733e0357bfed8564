import assert from "node:assert/strict";
import { test } from "node:test";

import { EventReader } from "../src/sse.js";

const STREAM = 'retry: 2000\n: listening\n\nid: b-1\nevent: x\ndata: {"a":\ndata: 1}\n\n: still here\n\nid: b-2\ndata:two\n\n';
const EVENTS = [{ id: "b-1", data: '{"a":\n1}' }, { id: "b-2", data: "two" }];

test("events are read wherever they are cut, with any line end", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const stream = `${STREAM.replaceAll("\n", end)}: end\n`;
    for (const size of [1, 2, 7, stream.length]) {
      const reader = new EventReader();
      const pieces = stream.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];

      assert.deepEqual(pieces.flatMap((piece) => reader.read(piece)), EVENTS, JSON.stringify({ end, size }));
    }
  }
});

test("a line without end is not kept for ever", () => {
  const reader = new EventReader();

  assert.throws(() => reader.read(`data: ${"x".repeat(1_000_001)}`), RangeError);
});
