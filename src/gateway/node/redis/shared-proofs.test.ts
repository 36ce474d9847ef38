import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createProofMemory } from "../../callers/dpop/proof-memory.ts";
import { createProofVerifier } from "../../callers/dpop/proof-verifier.ts";
import type { ProofFault } from "../../callers/dpop/proof-verifier.ts";
import { digestOf, makeProver } from "../../fixtures/prover.ts";
import { createGateMemory, openGates } from "../../limits/gates.ts";
import { createRedisCounting } from "./redis-counting.ts";
import { redis, startRedis } from "../../../../test/support/redis-server.ts";

const origin = "https://www.bakery.test";
const htu = `${origin}/api/me`;
const token = "a token";
const prover = await makeProver();
const subject = {
  method: "GET",
  path: "/api/me",
  thumbprint: prover.thumbprint,
  tokenDigest: digestOf(token),
};
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const prove = () => prover.prove({ now: nowSeconds(), htu, token });

/** One host: a memory of its own, and the store that it shares. */
function openHost(context: TestContext, port: number, instances = 2) {
  const shared = createRedisCounting({
    store: {
      url: new URL(`redis://127.0.0.1:${port}`),
      username: undefined,
      secret: undefined,
      caFile: undefined,
      timeoutMs: 2000,
      instances,
    },
    origin,
    events: () => undefined,
    gates: openGates(createGateMemory({ counters: 0, doors: 0 })),
  });
  context.after(() => shared.close());
  const proofs = createProofVerifier({
    origin,
    memory: createProofMemory({ slots: 1024, windowSeconds: 65, now: Date.now() - 60_000 }),
    shared,
  });
  return (proof: string): Promise<ProofFault | undefined> => proofs.verify(proof, subject);
}

suite("Proofs on two hosts with a real Redis", { skip: redis.skip }, () => {
  test("are used once on both together; on each alone once it is lost", async (context) => {
    const server = await startRedis(context);
    const [here, there] = [openHost(context, server.port), openHost(context, server.port)];
    // Until both have connected each knows its own.
    let proof = await prove();
    while ((await here(proof)) !== undefined || (await there(proof))?.reason !== "it was used before")
      proof = await prove();
    proof = await prove();
    const both = await Promise.all([here(proof), there(proof), here(proof), there(proof)]);
    assert.equal(both.filter((fault) => fault === undefined).length, 1);
    const keys = (await server.ask("KEYS", "cw:*")) as string[];
    assert.ok(keys.length > 0 && keys.every((key) => !key.includes(prover.thumbprint)));
    for (const key of keys) {
      const expires = (await server.ask("PTTL", key)) as number;
      assert.ok(expires <= 66_000, `${expires}`);
    }
    await server.kill();
    proof = await prove();
    assert.equal(await here(proof), undefined);
    assert.equal((await here(proof))?.reason, "it was used before");
  });
});
