import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createTokens } from "./tokens.ts";

test("a login that is not there is named with its address and what is wrong there", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const tokens = createTokens({
    identities: {
      anna: { subject: "anna", token: async () => (await fetch(`http://127.0.0.1:${port}/token`)).text() },
    },
    issuer: undefined,
    now: Date.now,
    sleep: async () => undefined,
  });
  await assert.rejects(tokens.valid("anna"), {
    message: `no token for anna: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`,
  });
});
