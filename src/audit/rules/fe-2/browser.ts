import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { markScript } from "../../probes/probe.ts";
import type { PageVisit, ProbeResponse } from "../../probes/probe.ts";
import { slownessOf } from "../promptness.ts";
import { missRefused } from "../refused-hosts.ts";
import { isSuccess, noRelease, pagesOf, withoutPages } from "../shared.ts";

/** Addresses to visit: every page, and one that does not exist. */
function visits(context: AuditContext): { path: string; isPage: boolean }[] {
  return [
    ...pagesOf(context).map((path) => ({ path: encodeURI(path), isPage: true })),
    { path: `/${context.mark()}/`, isPage: false },
  ];
}

export const noViolations: Check = {
  name: "zero violations in a browser, on every page",
  kind: "live",
  attack: { kind: "content", promise: "site", per: "site", isControl: true, isBeside: true },
  notApplicable: withoutPages,
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss(noRelease(context));
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
      missRefused(tally, path, visit.refused);
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

export const injectionsBlocked: Check = {
  name: "injected scripts are blocked and reported",
  kind: "live",
  attack: { kind: "content", promise: "site", per: "site", isBeside: true },
  isActive: true,
  notApplicable: withoutPages,
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss(noRelease(context));
    await injectionsRunWithoutPolicy(context, tally);
    const browser = await context.browser();
    const alike = new Map<string, string>();
    for (const path of pagesOf(context).map(encodeURI)) {
      const { response } = await context.caller.send({ method: "GET", path });
      const conditions = conditionsOf(response);
      const first = alike.get(conditions);
      if (first !== undefined) {
        tally.pass({
          kind: "measurement",
          about: `${path} has the policy and the scripts of ${first}, to the byte`,
          value: "the same",
        });
        continue;
      }
      alike.set(conditions, path);
      const inject = (): Promise<PageVisit> =>
        browser.visit(path, {
          headers: response.headers,
          html: injectAll(response.text()),
          click: `#${link}`,
        });
      let visit = await inject();
      // What the browser says may come late; what ran, ran.
      if (visit.violations.length < injections.length && visit.marks.length === 0) visit = await inject();
      for (const { name, mark } of injections) {
        tally.expect(!visit.marks.includes(mark), {
          kind: "measurement",
          about: `${path} with ${name}`,
          value: visit.marks.includes(mark) ? "it RAN" : "it did not run",
        });
      }
      const slowness = visit.violations.length < injections.length ? await slownessOf(context) : undefined;
      if (slowness !== undefined) {
        tally.miss(`${path}: the browser reports ${visit.violations.length} injections, but ${slowness}`);
        continue;
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

/** What decides whether an injection runs: the policy, in headers and markup, and the scripts that may help it. */
function conditionsOf({ headers, text }: ProbeResponse): string {
  const html = text();
  const deciding = headers.filter(([name]) => isPolicy(name) || name === "content-type");
  const tags = html.match(/<(?:meta[^>]{0,200}http-equiv|script|base|body)\b[^>]{0,3000}>/gi) ?? [];
  const inline = html.match(/<script\b[^>]{0,3000}>[^<]{0,20000}/gi) ?? [];
  return JSON.stringify([deciding, tags, inline]);
}

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
