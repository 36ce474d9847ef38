import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import { nearHosts } from "./near-hosts.ts";

describe("a host that is nearly the site's", { concurrency: 2 }, () => {
  test("is refused in Host, in :authority and in whole addresses", async () => {
    const { state, observations } = await checkSite(startSite(), nearHosts);
    assert.equal(state, "passed");
    // The honest request, and nine hosts in three places: a name without a dot has none to lose.
    assert.equal(observations, 1 + 9 * 3);
  });

  for (const [fault, hosts, places] of [
    ["compares hosts by their end", ["audit", "audit."], ["Host", ":authority"]],
    ["compares no hosts over HTTP/2", ["audit", "audit."], [":authority"]],
    ["takes whole addresses of any host", ["audit", "audit."], ["the whole address of its first line"]],
  ] as const)
    test(`is found to be taken by a site that ${fault}, with a command that shows it`, async () => {
      const site = startSite(fault);
      const { state, evidence, failing } = await checkSite(site, nearHosts);
      const { host } = (await site).target;
      // Who takes two takes any, and is asked no more there.
      assert.deepEqual([state, failing], ["failed", 2 * places.length]);
      for (const place of places)
        for (const before of hosts) {
          const said = `(${before}${host}) in ${place} must be refused`;
          const found = evidence.find(({ about }) => about.includes(said));
          assert.ok(found?.kind === "exchange", said);
          assert.equal(found.response.status, 200);
          if (place.endsWith("line")) assert.equal(found.reproduce, undefined);
          else
            assert.ok(
              found.reproduce?.includes(`-H 'host: ${before}${host}'`),
              found.reproduce ?? "no command",
            );
        }
      assert.ok(evidence.every(({ about }) => places.some((place) => about.includes(` in ${place} `))));
    });

  test("is found to be taken by a site that compares hosts by their beginning, or without their ports", async () => {
    const about = async (fault: Parameters<typeof startSite>[0]): Promise<string> =>
      (await checkSite(startSite(fault), nearHosts)).evidence.map((one) => one.about).join("\n");
    assert.match(await about("compares hosts by their beginning"), /that begins with the site's .* in Host/);
    assert.match(await about("compares hosts without their ports"), /with another port .* in :authority/);
  });
});
