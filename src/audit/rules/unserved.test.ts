import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { runCheck } from "../check.ts";
import type { Check } from "../check.ts";
import { startSite } from "../fixtures/site.ts";
import type { TestSite } from "../fixtures/site.ts";
import { openContext } from "../node/open-context.ts";
import type { OpenContext } from "../node/open-context.ts";
import { api1 } from "./api-1/api-1.ts";

// A field of another type than its `response` says: whoever may ask is let in, and answered 502.

/** What waits for revocations and deliveries says nothing here that the others do not. */
const isQuick = ({ isSlow, kind }: Check): boolean => isSlow !== true && kind === "live";

describe("a site that can use no answer of its upstream", () => {
  let site: TestSite;
  let opened: OpenContext;
  before(async () => {
    site = await startSite("can use no answer of its upstream");
    const { contract, plan, release, target, ca } = site;
    opened = await openContext({ contract, plan, release, target, ca, root: tmpdir(), timeoutMs: 20_000 });
  });
  after(async () => {
    await opened.close();
    await site.close();
  });

  for (const check of api1.checks.filter(isQuick))
    test(`is blamed for no access: ${check.name}`, async () => {
      const { state, evidence, reason } = await runCheck(check, "API-1", opened.context);
      assert.notEqual(state, "failed", evidence[0]?.about ?? "");
      if (check.name.startsWith("token in another place"))
        assert.match(
          reason ?? "",
          /: the honest request was answered 502 GATEWAY_ANSWER_INVALID \(the log names the field: npx curtainwall log query \S+ --event gateway\.answer\.refused\)/,
        );
    });
});
