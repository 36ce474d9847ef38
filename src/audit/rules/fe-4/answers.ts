import type { ContractRoute, ContractStream } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../inputs.ts";
import type { Exchange, ProbeRequest, Protocol } from "../../probe.ts";
import { oneClient, smallestAllowance, untilRefused, withoutLimits } from "../limits.ts";
import {
  isHtml,
  noRelease,
  pagePath,
  pagesOf,
  protectedRoutes,
  withoutPages,
  withoutProtectedRoutes,
  withoutRoutes,
} from "../shared.ts";

/** A kind of answer, and how to get it. */
export interface AnswerClass {
  name: string;
  isActive: boolean;
  /** Statuses that count as that answer. */
  statuses: readonly number[];
  /** Why nothing here could answer like that. */
  notApplicable?(context: AuditContext): string | undefined;
  /** The answer, or what is missing to get it. */
  get(context: AuditContext, protocol: Protocol): Promise<Exchange | string>;
}

const get =
  (path: (context: AuditContext) => string, extra: Partial<ProbeRequest> = {}) =>
  (context: AuditContext, protocol: Protocol): Promise<Exchange> =>
    context.caller.send({ method: "GET", path: path(context), protocol, ...extra });

/** What browsers say that they can read: their answers are not those that others get. */
const asBrowsers = ["accept-encoding", "gzip, deflate, br, zstd"] as const;

/** A file that is sent in one form only: what has compressed ones is not sent in parts. */
const undivided = ({ release }: AuditContext): string | undefined =>
  release?.manifest.files.find((file) => !isHtml(file) && file.variants.length === 1)?.path;

const withoutUndivided = (context: AuditContext): string | undefined =>
  withoutRelease(context) ??
  (context.release === undefined || undivided(context) !== undefined
    ? undefined
    : "the release has no file that could be sent in parts");

/** A server may always send the whole instead (RFC 9110 §14.2). */
function part(name: string, range: string, status: number): AnswerClass {
  return {
    name,
    isActive: false,
    statuses: [status, 200],
    notApplicable: withoutUndivided,
    get: async (context, protocol) => {
      const path = undivided(context);
      return path === undefined
        ? noRelease(context)
        : context.caller.send({
            method: "GET",
            path: encodeURI(path),
            protocol,
            headers: [["range", range]],
          });
    },
  };
}

function assetPath({ release }: AuditContext): string | undefined {
  return release?.manifest.files.find((file) => !isHtml(file))?.path;
}

/** A page whose address ends in a slash, which the same without it leads to. */
const folderPage = (context: AuditContext): string | undefined =>
  pagesOf(context).find((path) => path !== "/" && path.endsWith("/"));

/** Where something is that can't be deleted: a page, or of an API alone a route. */
export function pathWithoutDelete(context: AuditContext): string {
  const [page] = pagesOf(context);
  if (page !== undefined) return page;
  const { routes } = context.contract;
  const deletable = new Set(routes.filter(({ method }) => method === "DELETE").map(({ path }) => path));
  return routes.find(({ path }) => !path.includes(":") && !deletable.has(path))?.path ?? "/";
}

const withoutRelease = ({ contract, release }: AuditContext): string | undefined =>
  contract.site === undefined && release === undefined ? "the contract has no site" : undefined;

export const answers: readonly AnswerClass[] = [
  { name: "200, a page", isActive: false, statuses: [200], notApplicable: withoutPages, get: get(pagePath) },
  {
    name: "200, a page as browsers ask for it",
    isActive: false,
    statuses: [200],
    notApplicable: withoutPages,
    get: get(pagePath, { headers: [asBrowsers] }),
  },
  {
    name: "200, an asset",
    isActive: false,
    statuses: [200],
    notApplicable: (context) =>
      withoutRelease(context) ??
      (context.release === undefined || assetPath(context) !== undefined
        ? undefined
        : "the release has no asset"),
    get: async (context, protocol) => {
      const path = assetPath(context);
      return path === undefined
        ? noRelease(context)
        : context.caller.send({ method: "GET", path: encodeURI(path), protocol });
    },
  },
  part("206, a part of a file", "bytes=0-0", 206),
  part("416, no part of a file", "bytes=9999999999-", 416),
  {
    name: "304",
    isActive: false,
    statuses: [304],
    notApplicable: withoutPages,
    get: async (context, protocol) => {
      const first = await context.caller.send({ method: "GET", path: pagePath(context), protocol });
      const tag = first.response.header("etag");
      if (tag === undefined) return "the page has no ETag to ask with";
      return context.caller.send({
        method: "GET",
        path: pagePath(context),
        protocol,
        headers: [["if-none-match", tag]],
      });
    },
  },
  {
    name: "HEAD",
    isActive: false,
    statuses: [200],
    notApplicable: withoutPages,
    get: get(pagePath, { method: "HEAD" }),
  },
  {
    name: "308, a redirect",
    isActive: false,
    statuses: [301, 302, 303, 307, 308],
    notApplicable: (context) =>
      withoutPages(context) ??
      (context.release === undefined || folderPage(context) !== undefined
        ? undefined
        : "the release has no page in a folder, to redirect to"),
    get: async (context, protocol) => {
      const folder = folderPage(context);
      if (folder === undefined) return noRelease(context);
      return context.caller.send({ method: "GET", path: encodeURI(folder.slice(0, -1)), protocol });
    },
  },
  { name: "404, a page", isActive: false, statuses: [404], get: get((context) => `/${context.mark()}/`) },
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
  streamed("200, an event stream", "events"),
  streamed("200, a download", "download"),
  {
    name: "401, the API",
    isActive: true,
    statuses: [401],
    notApplicable: withoutProtectedRoutes,
    get: async (context, protocol) => {
      const [route] = protectedRoutes(context);
      if (route === undefined) return "no route needs a token";
      const [honest] = honestCalls(context, route);
      if (honest === undefined) return lacking(context, route);
      return context.caller.call({ route, input: honest.input, protocol });
    },
  },
  {
    name: "403, the API",
    isActive: true,
    statuses: [403],
    notApplicable: (context) =>
      context.contract.routes.some(tellsApart)
        ? undefined
        : "no route has an owner in its path or asks for a role",
    get: forbidden,
  },
  {
    name: "429, the API",
    isActive: true,
    statuses: [429],
    notApplicable: withoutLimits("client"),
    get: exhausted,
  },
  {
    name: "5xx, the API",
    isActive: true,
    statuses: [500, 502, 503, 504],
    notApplicable: ({ plan }) =>
      Object.keys(plan.failures ?? {}).length === 0
        ? "the plan knows no way to make a route fail"
        : undefined,
    get: failing,
  },
];

/** What comes in parts has its headers written elsewhere than other answers. */
function streamed(name: string, kind: ContractStream["kind"]): AnswerClass {
  const isOne = ({ stream }: ContractRoute): boolean => stream?.kind === kind;
  return {
    name,
    isActive: true,
    statuses: [200],
    notApplicable: ({ contract }) =>
      contract.routes.some(isOne) ? undefined : `no route answers with ${name.slice(5)}`,
    get: async (context, protocol) => {
      let missing = "no route answers so";
      for (const route of context.contract.routes.filter(isOne)) {
        const [honest] = honestCalls(context, route);
        if (honest !== undefined) return context.caller.call({ route, ...honest, protocol });
        missing = lacking(context, route);
      }
      return missing;
    },
  };
}

/** A route that answers 403 to somebody who is signed in. */
const tellsApart = ({ access, hide }: ContractRoute): boolean =>
  hide !== true && (access.kind === "owner" || access.kind === "role");

async function malformed(context: AuditContext): Promise<Exchange> {
  const response = await context.wire.sendRaw(
    `GET / HTTP/1.1\r\nhost: ${context.target.host}\r\nbad header: \x01\r\n\r\n`,
  );
  return { request: { method: "GET", path: "/", headers: [["bad header", "\x01"]] }, response };
}

/** Somebody with a token asks for what another one owns, or lacks the role. */
async function forbidden(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const names = Object.keys(context.plan.identities ?? {});
  for (const route of context.contract.routes.filter(tellsApart)) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) continue;
    const roles = route.access.kind === "role" ? route.access.role : undefined;
    const as = names.find((name) =>
      context.tokens.isProgram(name)
        ? false
        : roles === undefined
          ? name !== honest.as
          : !(context.plan.identities?.[name]?.roles ?? []).includes(roles),
    );
    if (as !== undefined) return context.caller.call({ route, as, input: honest.input, protocol });
  }
  return "no two identities in the plan that tell a 403";
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

/** Makes something behind a route fail, as the plan knows how to. */
async function failing(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  let missing = "the plan names no failure of a route that there is";
  for (const route of context.contract.routes) {
    const failure = context.plan.failures?.[route.key];
    if (failure === undefined) continue;
    const [honest] = honestCalls(context, route, failure);
    if (honest !== undefined) return context.caller.call({ route, ...honest, protocol });
    missing = lacking(context, route);
  }
  return missing;
}

/** Spends the allowance of a client that nobody else is. */
async function exhausted(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const allowance = smallestAllowance(context);
  if (typeof allowance === "string") return allowance;
  const client = context.caller.freshClient();
  if (client === undefined) return oneClient;
  const { route, limit, call } = allowance;
  const request = { ...(await context.caller.request(call)), protocol, client };
  return (
    (await untilRefused(context, request, limit.burst * 2 + 10)) ??
    `${route.key}: its limit was never reached`
  );
}
