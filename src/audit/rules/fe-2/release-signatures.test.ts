import assert from "node:assert/strict";
import { test } from "node:test";
import {
  openSignatures,
  parseSignatures,
  programDigest,
  publicKeyOf,
  signEnvelope,
} from "../../../contract/index.ts";
import type { EnvelopeSigner, ReleaseSignatures } from "../../../contract/index.ts";
import { isCurtainwallError } from "../../../shared/index.ts";
import { startSite } from "../../fixtures/site.ts";
import { runAudit } from "../../node/run.ts";
import type { ReleaseTrial } from "../../probes/probe.ts";
import type { AuditCheck } from "../../report.ts";

async function makeSigner(): Promise<EnvelopeSigner> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const publicKey = publicKeyOf(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  assert.ok(publicKey !== undefined);
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, Uint8Array.from(message))),
  };
}

const [programKey, releaseKey] = [await makeSigner(), await makeSigner()];
const site = await startSite();
test.after(() => site.close());

const program = JSON.stringify({
  format: 1,
  site: site.contract.origin,
  contract: "",
  policy: [],
  code: [],
  headers: [],
  functions: [],
});
const statement = JSON.stringify({
  format: 1,
  site: site.contract.origin,
  digest: site.release.digest,
  identity: "",
  sequence: 7,
  created: "2030-01-01T00:00:00.000Z",
  expires: "2030-02-01T00:00:00.000Z",
  program: await programDigest(program),
});
const signatures = JSON.stringify({
  program: await signEnvelope("program", program, programKey),
  release: await signEnvelope("release", statement, releaseKey),
});
const keys = { program: programKey.publicKey, release: releaseKey.publicKey };

/** What opens signatures, as an edge does it, unless it is told better. */
const trialOf = (isTaken: (offered: ReleaseSignatures) => boolean = () => false): ReleaseTrial => ({
  signatures,
  refusal: async (text) => {
    const offered = parseSignatures(text);
    if (offered !== undefined && isTaken(offered)) return undefined;
    return openSignatures(text, keys).then(
      () => undefined,
      (error: unknown) => (isCurtainwallError(error) ? error.code : String(error)),
    );
  },
});

async function audit(releaseTrial?: ReleaseTrial): Promise<AuditCheck> {
  const { contract, plan, target, ca, release } = site;
  const { rows } = await runAudit({
    contract,
    plan,
    target,
    ca,
    release,
    root: import.meta.dirname,
    only: ["FE-2"],
    ...(releaseTrial === undefined ? {} : { releaseTrial }),
  });
  const check = rows
    .flatMap(({ checks }) => checks)
    .find(({ name }) => name === "a release that somebody else signed or changed is not taken");
  assert.ok(check !== undefined);
  return check;
}

test("a release is taken with its own signatures and with none that is not of its keys", async () => {
  const { state, reason, observations } = await audit(trialOf());
  assert.deepEqual([state, reason], ["passed", undefined]);
  assert.equal(observations, 14);
});

for (const [mistake, isTaken] of [
  ["any signature", ({ release }: ReleaseSignatures) => release.signatures[0]?.sig !== ""],
  ["no signature", ({ program: { signatures: list } }: ReleaseSignatures) => list.length === 0],
  [
    "whatever key an envelope names",
    ({ release }: ReleaseSignatures) => release.signatures[0]?.keyid !== releaseKey.publicKey.text,
  ],
] as const)
  test(`taking ${mistake} is a failure`, async () => {
    const { state, evidence } = await audit(trialOf(isTaken));
    assert.equal(state, "failed");
    assert.match(JSON.stringify(evidence[0]), /it is taken/);
  });

test("where the release itself is refused, that others are shows nothing; where nobody takes one in, neither", async () => {
  const refused = await audit({ signatures, refusal: () => Promise.resolve("RELEASE_EXPIRED") });
  assert.equal(refused.state, "missing");
  assert.match(refused.reason ?? "", /RELEASE_EXPIRED/);
  const other = await audit({ signatures: "", refusal: () => Promise.resolve(undefined) });
  assert.equal(other.state, "missing");
  assert.equal((await audit()).state, "not applicable");
});
