import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import type { ReleaseFile } from "../../../contract/index.ts";
import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Evidence } from "../../evidence.ts";
import { parsePolicy, policyFaults } from "../../answers/policy.ts";
import { shortDigest } from "../../answers/served-release.ts";
import { injectionsBlocked, noViolations } from "./browser.ts";
import { violationsReported } from "./reports.ts";
import { sentPolicies } from "./sent.ts";
import { foreignReleases } from "./release-signatures.ts";
import { servedAsBuilt } from "../served-as-built.ts";
import { isHtml, noRelease, see, withoutPages } from "../shared.ts";

/** Every page of the release, the 404 page too, with its policies. */
function pagePolicies(context: AuditContext, tally: Tally): { file: ReleaseFile; policies: string[] }[] {
  if (context.release === undefined) {
    tally.miss(noRelease(context));
    return [];
  }
  return context.release.manifest.files.filter(isHtml).map((file) => ({
    file,
    policies: file.headers.filter(([name]) => name === "content-security-policy").map(([, value]) => value),
  }));
}

/** A check of each page's policy as it was built; `judge` lists what is wrong with it. */
function ofEachPolicy(name: string, good: string, judge: (policy: string) => readonly string[]): Check {
  return {
    name,
    kind: "built",
    notApplicable: withoutPages,
    run: async (context, tally) => {
      const release = `release ${shortDigest(context.release)}`;
      for (const { file, policies } of pagePolicies(context, tally)) {
        const [policy] = policies;
        const faults = policy === undefined ? ["it has no policy"] : judge(policy);
        const about = `${file.path} of ${release}: ${faults.length === 0 ? good : faults.join("; ")}`;
        tally.expect(faults.length === 0, seePage(file, about, policy));
      }
    },
  };
}

function seePage(file: ReleaseFile, about: string, excerpt: string | undefined): Evidence {
  const sha256 = file.variants[0]?.sha256;
  return {
    kind: "file",
    about,
    file: file.path,
    ...(excerpt === undefined ? {} : { excerpt }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

const strictPolicies: Check = ofEachPolicy(
  "every page has a strict policy",
  "no unsafe-*, no wildcard, nothing missing",
  (policy) => policyFaults(parsePolicy(policy)),
);

const evaluated: Check = ofEachPolicy(
  "csp_evaluator finds nothing high",
  "nothing of high or medium severity",
  (policy) =>
    new CspEvaluator(new CspParser(policy).csp)
      .evaluate()
      .filter(({ severity }) => severity <= Severity.MEDIUM)
      .map(({ directive, description }) => `${directive}: ${description}`),
);

/** Scripts of a site of ours are allowed one by one: no place, no keyword and no nonce lets in what nobody has seen. */
const byHashAlone: Check = {
  ...ofEachPolicy("scripts run by their hashes alone", "every script by its hash, or none", (policy) => {
    const parsed = parsePolicy(policy);
    return ["script-src", "script-src-elem"].flatMap((name) =>
      (parsed.get(name) ?? [])
        .filter((source) => !exact.test(source))
        .map((source) => `${name} has ${source}`),
    );
  }),
  notApplicable: (context) =>
    withoutPages(context) ??
    (context.contract.site !== undefined && "content" in context.contract.site
      ? undefined
      : "another generator's pages may need scripts by address"),
};

const exact = /^'(?:none|report-sample|sha(?:256|384|512)-[A-Za-z0-9+/]{43,86}={0,2})'$/;

/** As others ask for a page, and as browsers do: they get another form of it. */
const encodings = ["identity", "gzip, deflate, br, zstd"];

const sameAsBuilt: Check = {
  name: "the policy that was built is the one that is sent",
  kind: "live",
  isSupporting: true,
  notApplicable: withoutPages,
  run: async (context, tally) => {
    for (const { file, policies } of pagePolicies(context, tally)) {
      if (file.path === context.release?.manifest.notFound) continue;
      for (const encoding of encodings) {
        const exchange = await context.caller.send({
          method: "GET",
          path: encodeURI(file.path),
          headers: [["accept-encoding", encoding]],
        });
        const sent = exchange.response.headers
          .filter(([name]) => name === "content-security-policy")
          .map(([, value]) => value);
        const form = exchange.response.header("content-encoding") ?? "identity";
        tally.expect(
          sent.join("\n") === policies.join("\n"),
          see(context, `${file.path} (${form}): sent with the policy of the release`, exchange),
        );
      }
    }
  },
};

/** FE-2: strict Content-Security-Policy. */
export const fe2: Rule = {
  id: "FE-2",
  checks: [
    strictPolicies,
    byHashAlone,
    violationsReported,
    evaluated,
    servedAsBuilt,
    sameAsBuilt,
    foreignReleases,
    sentPolicies,
    noViolations,
    injectionsBlocked,
  ],
};
