import type { AuditContext } from "../../context.ts";
import type { Exchange, Protocol } from "../../probes/probe.ts";
import { pagesOf, withoutRoutes } from "../shared.ts";
import { get } from "./answer-class.ts";
import type { AnswerClass } from "./answer-class.ts";
import { asBrowsers } from "./file-answers.ts";

/** How requests are answered that are for nothing, or no requests; and what browsers report. */
export const oddAnswers: readonly AnswerClass[] = [
  { name: "404, a page", isActive: false, statuses: [404], get: get((context) => `/${context.mark()}/`) },
  {
    name: "404, a page as browsers ask for it",
    isActive: false,
    statuses: [404],
    get: get((context) => `/${context.mark()}/`, { headers: [asBrowsers] }),
  },
  {
    name: "404, the API",
    isActive: false,
    statuses: [404],
    notApplicable: withoutRoutes,
    get: (context, protocol) =>
      get(() => `/${[...context.contract.apiRoots][0]}/${context.mark()}`)(context, protocol),
  },
  { name: "405", isActive: true, statuses: [405], get: get(pathWithoutDelete, { method: "DELETE" }) },
  {
    name: "400, malformed",
    isActive: true,
    statuses: [400],
    get: (context, protocol) =>
      protocol === "h2" ? get(() => "/%zz")(context, protocol) : malformed(context),
  },
  {
    name: "what a browser's report is answered",
    isActive: true,
    // A server that is none of ours may take none.
    statuses: [200, 202, 204, 400, 403, 404, 405, 415],
    notApplicable: ({ contract }) =>
      contract.reports === undefined ? "the site takes no reports of browsers" : undefined,
    get: async (context, protocol) => report(context, protocol),
  },
];

/** Where something is that can't be deleted: a page, or of an API alone a route. */
export function pathWithoutDelete(context: AuditContext): string {
  const [page] = pagesOf(context);
  if (page !== undefined) return page;
  const { routes } = context.contract;
  const deletable = new Set(routes.filter(({ method }) => method === "DELETE").map(({ path }) => path));
  return routes.find(({ path }) => !path.includes(":") && !deletable.has(path))?.path ?? "/";
}

async function malformed(context: AuditContext): Promise<Exchange> {
  const response = await context.wire.sendRaw(
    `GET / HTTP/1.1\r\nhost: ${context.target.host}\r\nbad header: \x01\r\n\r\n`,
  );
  return { request: { method: "GET", path: "/", headers: [["bad header", "\x01"]] }, response };
}

/** A report of what no page did, on the audit's own mark. */
async function report(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const { caller, contract, mark } = context;
  const page = `${contract.origin}/${mark()}/`;
  const client = caller.freshClient();
  return caller.send({
    method: "POST",
    path: contract.reports?.path ?? "/",
    protocol,
    headers: [["content-type", "application/csp-report"]],
    body: JSON.stringify({ "csp-report": { "document-uri": page, "violated-directive": "img-src" } }),
    ...(client === undefined ? {} : { client }),
  });
}
