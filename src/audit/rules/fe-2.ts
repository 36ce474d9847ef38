import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import type { ReleaseFile } from "../../contract/index.ts";
import type { Check, Rule, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Evidence } from "../evidence.ts";
import { parsePolicy, policyFaults } from "../policy.ts";
import type { ProbeResponse } from "../probe.ts";
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
  markup: string;
  click?: string;
}

/** Each would leave a mark: `document.documentElement.dataset.curtainwallMark` is read back from the browser. */
const leaveMark = "document.documentElement.dataset.curtainwallMark='ran'";

const injections: readonly Injection[] = [
  { name: "an inline script", markup: `<script>${leaveMark}</script>` },
  {
    name: "an inline script at the end of a text",
    markup: `</textarea></title></style><script>${leaveMark}</script>`,
  },
  { name: "an onerror attribute", markup: `<img src="data:image/png;base64,AAAA" onerror="${leaveMark}">` },
  {
    name: "a javascript: link",
    markup: `<a id="curtainwall-link" href="javascript:${leaveMark};void 0">x</a>`,
    click: "#curtainwall-link",
  },
  { name: "a script of a data: URL", markup: `<script src="data:text/javascript,${leaveMark}"></script>` },
];

/** Puts markup right after the opening tag of the body. */
function inject(html: string, markup: string): string {
  const match = /<body[^>]*>/i.exec(html);
  const at = match === null ? html.length : match.index + match[0].length;
  return `${html.slice(0, at)}${markup}${html.slice(at)}`;
}

const isPolicy = (name: string): boolean =>
  name === "content-security-policy" || name === "content-security-policy-report-only";

const injectionsBlocked: Check = {
  name: "injected scripts are blocked and reported",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss("no release was given, so its pages are not known");
    const browser = await context.browser();
    for (const path of pagesOf(context).map(encodeURI)) {
      const { response } = await context.caller.send({ method: "GET", path });
      for (const injection of injections) await attempt(tally, browser, path, response, injection);
    }
    await control(context, tally);
  },
};

type Browser = Awaited<ReturnType<AuditContext["browser"]>>;

async function attempt(
  tally: Tally,
  browser: Browser,
  path: string,
  response: ProbeResponse,
  { name, markup, click }: Injection,
): Promise<void> {
  const visit = await browser.visit(path, {
    headers: response.headers,
    html: inject(response.text(), markup),
    ...(click === undefined ? {} : { click }),
  });
  const isBlocked = visit.marks.length === 0;
  const isReported = visit.violations.length > 0;
  tally.expect(isBlocked && isReported, {
    kind: "measurement",
    about: `${path} with ${name}: ${isBlocked ? "did not run" : "RAN"}, ${isReported ? `reported: ${visit.violations[0]}` : "not reported"}`,
    value: visit.marks.length,
    unit: "scripts that ran",
  });
}

/** The same injections without the policy must run, or their absence elsewhere would prove nothing. */
async function control(context: AuditContext, tally: Tally): Promise<void> {
  const browser = await context.browser();
  const [path = "/"] = pagesOf(context).map(encodeURI);
  const { response } = await context.caller.send({ method: "GET", path });
  for (const { name, markup, click } of injections) {
    const visit = await browser.visit(path, {
      headers: response.headers.filter(([header]) => !isPolicy(header)),
      html: inject(response.text().replaceAll(/<meta[^>]{0,200}content-security-policy[^>]*>/gi, ""), markup),
      ...(click === undefined ? {} : { click }),
    });
    if (visit.marks.length > 0)
      tally.pass({
        kind: "measurement",
        about: `without the policy, ${name} does run: the test can tell`,
        value: visit.marks.length,
        unit: "scripts that ran",
      });
    else tally.miss(`${name} did not run without the policy either, so this browser can't tell`);
  }
}

/** FE-2: strict Content-Security-Policy. */
export const fe2: Rule = {
  id: "FE-2",
  checks: [strictPolicies, evaluated, sameAsBuilt, noViolations, injectionsBlocked],
};
