import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { runCheck } from "../check.ts";
import type { Fault } from "../fixtures/faults.ts";
import { answerEach, answerOf, startHostile } from "../fixtures/hostile-target.ts";
import { startExchangeSite, startSite } from "../fixtures/site.ts";
import type { TestSite } from "../fixtures/site.ts";
import type { AuditCheck } from "../report.ts";
import { rules } from "../rules/index.ts";
import { openContext } from "./open-context.ts";

const chromium = requires("chromium");
const root = mkdtempSync(join(tmpdir(), "curtainwall-browser-attacks-"));
after(() => rmSync(root, { recursive: true, force: true }));

const elsewhere = ["API-5", "another site's page brings nothing about"] as const;
const content = ["FE-1", "vectors through content, in a real browser"] as const;

async function attack(
  open: (...faults: Fault[]) => Promise<TestSite>,
  [row, name]: readonly [row: string, name: string],
  faults: Fault[],
  executablePath = chromium.path,
  instead?: URL,
): Promise<AuditCheck> {
  const site = await open(...faults);
  const { contract, plan, release, ca } = site;
  const target = instead ?? site.target;
  const { context, close } = await openContext({
    contract,
    plan,
    release,
    target,
    ca,
    root,
    browser: { executablePath },
  });
  try {
    const check = rules.find(({ id }) => id === row)?.checks.find((one) => one.name === name);
    assert.ok(check !== undefined);
    return await runCheck(check, row, context);
  } finally {
    await close();
    await site.close();
  }
}

const says = ({ evidence }: AuditCheck): string => evidence.map(({ about }) => about).join("\n");

test(
  "a page of another site brings nothing about in a browser, by form, without CORS or by asking first",
  chromium,
  async () => {
    for (const open of [startSite, startExchangeSite]) {
      const check = await attack(open, elsewhere, []);
      assert.equal(check.state, "passed", `${check.reason}\n${says(check)}`);
    }
  },
);

test(
  "a site that takes JSON for whatever it is called is found by another site's page",
  chromium,
  async () => {
    const check = await attack(startSite, elsewhere, ["reads any media type"]);
    assert.equal(check.state, "failed");
    assert.match(says(check), /POST \/api\/contact: another site's page sends text\/plain/);
  },
);

test("without a browser what it would send is sent all the same, and told", async () => {
  const held = await attack(startSite, elsewhere, [], "/nowhere/chromium");
  assert.equal(held.state, "passed", says(held));
  const broken = await attack(startSite, elsewhere, ["reads any media type"], "/nowhere/chromium");
  assert.equal(broken.state, "failed");
});

test("content with vectors runs nowhere", chromium, async () => {
  const check = await attack(startSite, content, []);
  assert.equal(check.state, "passed", `${check.reason}\n${says(check)}`);
  assert.match(says(check), /vectors that run in a careless page without a policy: .*an image/);
});

test(
  "content that is put into a page as it is runs as soon as the policy is gone, which is found",
  chromium,
  async () => {
    const check = await attack(startSite, content, ["shows messages as they are"]);
    assert.equal(check.state, "failed");
    assert.match(
      says(check),
      /\/about\/, without its policy: what was put into POST \/api\/contact, body \/message RAN/,
    );
  },
);

test(
  "one page that is answered to everything takes no content, and leaves unknown what it hides",
  chromium,
  async () => {
    const inside = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
    await once(inside, "listening");
    const at = `127.0.0.1:${(inside.address() as AddressInfo).port}`;
    const page = `<!doctype html><title>x</title><p>hello</p><img src="http://${at}/">`;
    const server = await startHostile(answerEach(answerOf("200 OK", page, "text/html")));
    try {
      const target = new URL(`https://localhost:${server.port}`);
      const check = await attack(startSite, content, [], chromium.path, target);
      assert.equal(check.state, "missing", says(check));
      assert.match(
        check.reason ?? "",
        /POST \/api\/contact: what was put in was answered otherwise than declared/,
      );
      assert.ok(check.reason?.includes(`is not the site's, which was refused: ${at}`) === true, says(check));
      assert.doesNotMatch(JSON.stringify(check.evidence), /POST [^"]*taken[^}]*"value":[1-9]/);
    } finally {
      server.close();
      inside.close();
    }
  },
);

test("without a browser nobody knows whether content runs", async () => {
  const check = await attack(startSite, content, [], "/nowhere/chromium");
  assert.equal(check.state, "missing");
});
