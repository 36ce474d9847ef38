import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { isUnnamed } from "../probes/listener.ts";
import { openListener } from "./listener.ts";

test("whoever comes is seen, by what it asks for", async () => {
  const listener = await openListener();
  try {
    await listener.ask("/cwmark");
    assert.match(listener.hits[0]?.text ?? "", /^GET \/cwmark HTTP\/1\.1/);
    assert.equal(isUnnamed(listener.hits[0] ?? { text: "" }), false);
  } finally {
    await listener.close();
  }
});

test("what is no request is seen too: a TLS hello names nothing", async () => {
  const listener = await openListener();
  try {
    const socket = connect({ host: "127.0.0.1", port: listener.port });
    await new Promise((resolve) => {
      socket.on("close", resolve);
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
    });
    assert.equal(listener.hits.length, 1);
    assert.equal(isUnnamed(listener.hits[0] ?? { text: "GET / HTTP/1.1" }), true);
  } finally {
    await listener.close();
  }
});

test("a page that it offers is served, and who asks for it is no finding", async () => {
  const listener = await openListener();
  try {
    const answer = await fetch(listener.offer("<!doctype html><p>Elsewhere</p>"));
    assert.equal(await answer.text(), "<!doctype html><p>Elsewhere</p>");
    assert.equal(listener.hits.length, 0);
  } finally {
    await listener.close();
  }
});
