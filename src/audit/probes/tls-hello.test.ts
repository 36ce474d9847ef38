import assert from "node:assert/strict";
import { createServer } from "node:tls";
import type { SecureVersion } from "node:tls";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { testCertificate } from "../fixtures/certificate.ts";
import { createTlsProbe } from "../node/tls.ts";
import type { OldTlsVersion } from "./probe.ts";
import { readAnswer } from "./tls-hello.ts";

async function offer(
  version: OldTlsVersion,
  minVersion: SecureVersion,
  maxVersion: SecureVersion = "TLSv1.3",
): Promise<string> {
  const { cert, key } = await testCertificate();
  const server = createServer({ cert, key, minVersion, maxVersion, ciphers: "DEFAULT@SECLEVEL=0" });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return (
      await createTlsProbe(5000).offer(
        { host: "localhost", port: (server.address() as AddressInfo).port },
        version,
      )
    ).verdict;
  } finally {
    server.close();
  }
}

for (const [version, minVersion] of [
  ["TLS 1.0", "TLSv1"],
  ["TLS 1.1", "TLSv1.1"],
  ["TLS 1.2", "TLSv1.2"],
] as const) {
  test(`${version} is seen to be accepted by a server that speaks it`, async () => {
    assert.equal(await offer(version, minVersion), "accepted");
  });

  test(`${version} is seen to be refused by a server of TLS 1.3`, async () => {
    assert.equal(await offer(version, "TLSv1.3"), "refused");
  });
}

test("TLS 1.1 is seen to be refused by a server of TLS 1.2", async () => {
  assert.equal(await offer("TLS 1.1", "TLSv1.2"), "refused");
});

test("silence and nonsense are neither", () => {
  assert.equal(readAnswer(new Uint8Array(), false).verdict, "unclear");
  assert.equal(readAnswer(new TextEncoder().encode("HTTP/1.1 400"), true).verdict, "unclear");
});
