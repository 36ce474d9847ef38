import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import type { ReleaseFile } from "../../contract/index.ts";
import type { Check, Rule, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Evidence } from "../evidence.ts";
import { parsePolicy, policyFaults } from "../policy.ts";
import { markScript } from "../probe.ts";
import { isSuccess, pagesOf, see } from "./shared.ts";

/** Every page of the release, the 404 page too, with its policy. */
function pagePolicies(context: AuditContext, tally: Tally): { file: ReleaseFile; policies: string[] }[] {
  if (context.release === undefined) {
    tally.miss("no release was given: build first, then audit with it");
    return [];
  }
  return context.release.manifest.files
    .filter((file) =>
      file.headers.some(([name, value]) => name === "content-type" && value.startsWith("text/html")),
    )
    .map((file) => ({
      file,
      policies: file.headers.filter(([name]) => name === "content-security-policy").map(([, value]) => value),
    }));
}

function seePage(file: ReleaseFile, about: string): Evidence {
  const sha256 = file.variants[0]?.sha256;
  return { kind: "file", about, file: file.path, ...(sha256 === undefined ? {} : { sha256 }) };
}

const strictPolicies: Check = {
  name: "every page has a strict policy",
  kind: "built",
  run: async (context, tally) => {
    for (const { file, policies } of pagePolicies(context, tally)) {
      const [policy] = policies;
      if (policy === undefined) tally.fail(seePage(file, `${file.path} has no policy`));
      else {
        const faults = policyFaults(parsePolicy(policy));
        tally.expect(faults.length === 0, {
          ...seePage(
            file,
            `${file.path}: ${faults.length === 0 ? "no unsafe-*, no wildcard, nothing missing" : faults.join(", ")}`,
          ),
          excerpt: policy,
        } as Evidence);
      }
    }
  },
};

const evaluated: Check = {
  name: "csp_evaluator finds nothing high",
  kind: "built",
  run: async (context, tally) => {
    for (const { file, policies } of pagePolicies(context, tally)) {
      const [policy] = policies;
      if (policy === undefined) tally.fail(seePage(file, `${file.path} has no policy`));
      else {
        const grave = new CspEvaluator(new CspParser(policy).csp)
          .evaluate()
          .filter(({ severity }) => severity <= Severity.MEDIUM);
        const about =
          grave.length === 0
            ? "nothing of high or medium severity"
            : grave.map(({ directive, description }) => `${directive}: ${description}`).join("; ");
        tally.expect(grave.length === 0, seePage(file, `${file.path}: ${about}`));
      }
    }
  },
};

const sameAsBuilt: Check = {
  name: "the policy that was built is the one that is sent",
  kind: "live",
  run: async (context, tally) => {
    for (const { file, policies } of pagePolicies(context, tally)) {
      if (file.path === context.release?.manifest.notFound) continue;
      const exchange = await context.caller.send({ method: "GET", path: encodeURI(file.path) });
      const sent = exchange.response.headers
        .filter(([name]) => name === "content-security-policy")
        .map(([, value]) => value);
      tally.expect(
        sent.join("\n") === policies.join("\n"),
        see(context, `${file.path}: sent with the policy of the release`, exchange),
      );
    }
  },
};

/** Addresses to visit: every page, and one that does not exist. */
function visits(context: AuditContext): { path: string; isPage: boolean }[] {
  return [
    ...pagesOf(context).map((path) => ({ path: encodeURI(path), isPage: true })),
    { path: `/${context.mark()}/`, isPage: false },
  ];
}

const noViolations: Check = {
  name: "zero violations in a browser, on every page",
  kind: "live",
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss("no release was given, so its pages are not known");
    const browser = await context.browser();
    for (const { path, isPage } of visits(context)) {
      const visit = await browser.visit(path);
      const isLoaded =
        visit.status !== undefined && (isPage ? isSuccess(visit.status) : visit.status === 404);
      tally.expect(isLoaded && visit.violations.length === 0, {
        kind: "measurement",
        about: `${path} in ${browser.version}: status ${visit.status ?? "none"}${visit.violations.length === 0 ? "" : `; ${visit.violations.slice(0, 5).join("; ")}`}`,
        value: visit.violations.length,
        unit: "violations",
      });
    }
  },
};

interface Injection {
  name: string;
  /** The mark that it leaves if it runs. */
  mark: string;
  markup: string;
}

const link = "curtainwall-link";

const injections: readonly Injection[] = [
  { name: "an inline script", mark: "inline", markup: `<script>${markScript("inline")}</script>` },
  {
    name: "an inline script behind closing tags",
    mark: "closing",
    markup: `</textarea></title></style><script>${markScript("closing")}</script>`,
  },
  {
    name: "an onerror attribute",
    mark: "onerror",
    markup: `<img src="data:image/png;base64,AAAA" onerror="${markScript("onerror")}">`,
  },
  {
    name: "a javascript: link",
    mark: "javascript",
    markup: `<a id="${link}" href="javascript:${markScript("javascript")};void 0">x</a>`,
  },
  {
    name: "a script of a data: URL",
    mark: "data",
    markup: `<script src="data:text/javascript,${encodeURIComponent(markScript("data"))}"></script>`,
  },
];

/** Puts every injection right behind the opening tag of the body. */
function injectAll(html: string): string {
  const match = /<body[^>]{0,500}>/i.exec(html);
  const at = match === null ? html.length : match.index + match[0].length;
  return `${html.slice(0, at)}${injections.map(({ markup }) => markup).join("")}${html.slice(at)}`;
}

const isPolicy = (name: string): boolean =>
  name === "content-security-policy" || name === "content-security-policy-report-only";

const injectionsBlocked: Check = {
  name: "injected scripts are blocked and reported",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss("no release was given, so its pages are not known");
    await injectionsRunWithoutPolicy(context, tally);
    const browser = await context.browser();
    for (const path of pagesOf(context).map(encodeURI)) {
      const { response } = await context.caller.send({ method: "GET", path });
      const visit = await browser.visit(path, {
        headers: response.headers,
        html: injectAll(response.text()),
        click: `#${link}`,
      });
      for (const { name, mark } of injections) {
        tally.expect(!visit.marks.includes(mark), {
          kind: "measurement",
          about: `${path} with ${name}`,
          value: visit.marks.includes(mark) ? "it RAN" : "it did not run",
        });
      }
      tally.expect(visit.violations.length >= injections.length, {
        kind: "measurement",
        about: `${path}: the browser reports each of ${injections.length} injections: ${visit.violations.join("; ")}`,
        value: visit.violations.length,
        unit: "violations",
      });
    }
  },
};

/** The same injections without the policy must run, or their not running elsewhere would prove nothing. */
async function injectionsRunWithoutPolicy(context: AuditContext, tally: Tally): Promise<void> {
  const browser = await context.browser();
  const [path = "/"] = pagesOf(context).map(encodeURI);
  const { response } = await context.caller.send({ method: "GET", path });
  const visit = await browser.visit(path, {
    headers: response.headers.filter(([header]) => !isPolicy(header)),
    html: injectAll(response.text().replaceAll(/<meta[^>]{0,200}content-security-policy[^>]{0,2000}>/gi, "")),
    click: `#${link}`,
  });
  for (const { name, mark } of injections) {
    if (visit.marks.includes(mark))
      tally.pass({
        kind: "measurement",
        about: `without the policy, ${name} does run: the test can tell`,
        value: mark,
      });
    else tally.miss(`${name} did not run without the policy either, so this browser can't tell`);
  }
}

/** FE-2: strict Content-Security-Policy. */
export const fe2: Rule = {
  id: "FE-2",
  checks: [strictPolicies, evaluated, sameAsBuilt, noViolations, injectionsBlocked],
};
