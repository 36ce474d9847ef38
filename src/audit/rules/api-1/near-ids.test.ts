import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { Fault } from "../../fixtures/faults.ts";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import type { TestSite } from "../../fixtures/site.ts";
import type { AuditPlan } from "../../plan/plan.ts";
import { alikeIds, unlikeId } from "./alike-ids.ts";
import { nearIds } from "./near-ids.ts";

const withWitness = ({ plan, received }: TestSite): AuditPlan => ({
  ...plan,
  upstreams: { shop: { received } },
});

describe("ids that are nearly one's own", { concurrency: 2 }, () => {
  const faults: Fault[] = [
    "compares how ids begin",
    "compares how ids begin and end",
    "compares ids in any case",
    "trims ids",
    "reads ids as they look",
  ];
  for (const fault of faults)
    test(`are found to be taken by a site that ${fault}`, async () => {
      assert.equal((await checkSite(startSite(fault), nearIds)).state, "failed");
      assert.equal((await checkSite(startSite(fault), nearIds, withWitness)).state, "failed");
    });

  test("are refused by one that compares them whole, with and without an upstream that tells", async () => {
    assert.equal((await checkSite(startSite(), nearIds)).state, "passed");
    assert.equal((await checkSite(startSite(), nearIds, withWitness)).state, "passed");
  });

  test("are one's own where they are the same UUID in other letters, to who reads UUIDs as such", async () => {
    assert.equal((await checkSite(startSite("reads UUIDs in any case"), nearIds)).state, "passed");
  });

  test("are let through where what lies behind finds nothing: that is no refusal", async () => {
    const faulty = (): Promise<TestSite> => startSite("compares how ids begin", "knows its customers");
    const told = await checkSite(faulty(), nearIds, withWitness);
    assert.equal(told.state, "failed");
    assert.match(
      told.evidence[0]?.about ?? "",
      /is let through to shop: the refusal \(404\) comes from behind/,
    );
    const compared = await checkSite(faulty(), nearIds);
    assert.equal(compared.state, "failed");
    assert.match(compared.evidence[0]?.about ?? "", /is looked for \(404\), where one .* is refused \(403\)/);
    assert.equal((await checkSite(startSite("knows its customers"), nearIds)).state, "passed");
  });

  test("show nothing where everything is not there, unless the upstream tells", async () => {
    const hiding = (): Promise<TestSite> => startSite("hides whose it is", "knows its customers");
    const { state, reason } = await checkSite(hiding(), nearIds);
    assert.equal(state, "missing");
    assert.match(reason ?? "", /answered 404, which need not be the gateway's word/);
    assert.equal((await checkSite(hiding(), nearIds, withWitness)).state, "passed");
  });
});

test("ids that are alike keep the form that a schema asks for where they can, and are few", () => {
  const accepts = (id: string): boolean => z.uuid().safeParse(id).success;
  const own = "0b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a11";
  const alike = alikeIds(own, accepts);
  assert.deepEqual(
    alike.filter(({ isAccepted }) => isAccepted).map(({ value }) => value),
    [
      "1b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a11",
      "0b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a12",
      "0b1f6c0e-5d1c-4a51-8f3e-6f8f4f0f8a11",
      "0B1F6C0E-5D1C-4A55-8F3E-6F8F4F0F8A11",
    ],
  );
  assert.equal(unlikeId(own, accepts), "1a2a1a1a-5d1c-4a55-8f3e-6f8f1a1a1b22");
  assert.deepEqual(
    alikeIds("42", (id) => /^\d+$/.test(id)).map(({ raw }) => raw),
    ["12", "41", "420", "042", "4", "42.", "42%20", "42+", "+42", "42.0", "%EF%BC%942"],
  );
  assert.ok(alikeIds("x".repeat(5000), () => true).length < 15);
});
