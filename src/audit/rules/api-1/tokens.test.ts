import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import type { TestSite } from "../../fixtures/site.ts";
import { signedAnew } from "../../forge/issued.ts";
import type { AuditPlan } from "../../plan/plan.ts";
import { decodeToken } from "../../requests/tokens.ts";
import { expired } from "./tokens.ts";

const where = /\(\w+'s\), over the (\S+) connection where it was taken until it did, must be refused/;

/** The site's plan, with a token of alice's that is good for some seconds. */
function withExpiring({ plan }: TestSite): AuditPlan {
  const { identities: { alice } = {}, signToken } = plan;
  assert.ok(alice !== undefined && "token" in alice && signToken !== undefined);
  const expiredToken = async (): Promise<string> => {
    const token = decodeToken(await alice.token());
    assert.ok(token !== undefined);
    return signedAnew(signToken, {
      ...token,
      claims: { ...token.claims, exp: Math.floor(Date.now() / 1000) + 4 },
    });
  };
  return { ...plan, identities: { ...plan.identities, alice: { ...alice, expiredToken } } };
}

describe("an expired token", { concurrency: 2 }, () => {
  test("is found to go on over the connections where it was used while it was good", async () => {
    const { state, evidence } = await checkSite(
      startSite("remembers a connection's token"),
      expired,
      withExpiring,
    );
    assert.equal(state, "failed");
    const found = evidence.flatMap((one) => (one.kind === "exchange" ? [one] : []));
    const goesOn = found.filter(({ about, response }) => where.test(about) && response.status === 200);
    assert.deepEqual(
      goesOn.map(({ request }) => request.protocol),
      ["http/1.1", "h2"],
    );
  });

  test("is refused there too by who looks at its time with each request; one that nobody used is asked for nowhere", async () => {
    const used = await checkSite(startSite(), expired, withExpiring);
    const unused = await checkSite(startSite(), expired);
    assert.deepEqual([used.state, unused.state], ["passed", "passed"]);
    assert.equal(used.observations, unused.observations + 2);
  });
});
