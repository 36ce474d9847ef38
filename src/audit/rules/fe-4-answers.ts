import type { ContractRoute, ContractStream } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../inputs.ts";
import type { Exchange, ProbeRequest, Protocol } from "../probe.ts";
import { oneClient, smallestAllowance, untilRefused, withoutLimits } from "./limits.ts";
import {
  isHtml,
  noRelease,
  pagePath,
  pagesOf,
  protectedRoutes,
  withoutPages,
  withoutProtectedRoutes,
  withoutRoutes,
} from "./shared.ts";

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
