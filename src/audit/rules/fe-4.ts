import { baseSecurityHeaders } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { Check, Rule } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls } from "../inputs.ts";
import { parsePolicy } from "../policy.ts";
import type { Exchange, ProbeRequest, ProbeResponse, Protocol } from "../probe.ts";
import { pagePath, pagesOf, see } from "./shared.ts";

const safeReferrers = new Set([
  "no-referrer",
  "same-origin",
  "strict-origin",
  "strict-origin-when-cross-origin",
]);

/** What each header must say; what it may not be missing is {@link baseSecurityHeaders}'s names and the policy. */
const demands: Readonly<Record<string, (value: string, context: AuditContext) => boolean>> = {
  "content-security-policy": (value) =>
    parsePolicy(value).has("default-src") || parsePolicy(value).has("script-src"),
  "strict-transport-security": (value) => Number(/max-age="?(\d{1,12})/i.exec(value)?.[1]) >= 31_536_000,
  "x-content-type-options": (value) => value.toLowerCase() === "nosniff",
  "x-frame-options": (value) => /^(deny|sameorigin)$/i.test(value),
  "referrer-policy": (value) =>
    value.split(",").every((part) => safeReferrers.has(part.trim().toLowerCase())),
  "permissions-policy": (value) => value.includes("=()"),
  "cross-origin-opener-policy": (value) => value === "same-origin",
  "cross-origin-resource-policy": (value, { contract }) =>
    value === "same-origin" ||
    value === "same-site" ||
    (value === "cross-origin" && contract.corsOrigins.length > 0),
  "origin-agent-cluster": (value) => value === "?1",
};

const required = ["content-security-policy", ...baseSecurityHeaders.map(([name]) => name)];

/** Lists what is missing or weak among an answer's security headers. */
function headerFaults(context: AuditContext, response: ProbeResponse): string[] {
  return required.flatMap((name) => {
    const values = response.headers.filter(([header]) => header === name).map(([, value]) => value);
    if (values.length === 0) return [`${name} is missing`];
    const weak = values.find((value) => demands[name]?.(value, context) === false);
    if (weak !== undefined) return [`${name} is "${weak}"`];
    return values.length > 1 && name !== "content-security-policy"
      ? [`${name} is sent ${values.length} times`]
      : [];
  });
}

/** A kind of answer, and how to get it. */
interface AnswerClass {
  name: string;
  isActive: boolean;
  /** Statuses that count as that answer. */
  statuses: readonly number[];
  get(context: AuditContext, protocol: Protocol): Promise<Exchange | string>;
}

const get =
  (path: (context: AuditContext) => string, extra: Partial<ProbeRequest> = {}) =>
  (context: AuditContext, protocol: Protocol): Promise<Exchange> =>
    context.caller.send({ method: "GET", path: path(context), protocol, ...extra });

function assetPath({ release }: AuditContext): string | undefined {
  return release?.manifest.files.find(({ headers }) =>
    headers.some(([name, value]) => name === "content-type" && !value.startsWith("text/html")),
  )?.path;
}

const answers: readonly AnswerClass[] = [
  { name: "200, a page", isActive: false, statuses: [200], get: get(pagePath) },
  {
    name: "200, an asset",
    isActive: false,
    statuses: [200],
    get: async (context, protocol) => {
      const path = assetPath(context);
      return path === undefined
        ? "the release has no asset"
        : context.caller.send({ method: "GET", path: encodeURI(path), protocol });
    },
  },
  {
    name: "304",
    isActive: false,
    statuses: [304],
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
  { name: "HEAD", isActive: false, statuses: [200], get: get(pagePath, { method: "HEAD" }) },
  {
    name: "308, a redirect",
    isActive: false,
    statuses: [301, 302, 303, 307, 308],
    get: async (context, protocol) => {
      const folder = pagesOf(context).find((path) => path !== "/" && path.endsWith("/"));
      if (folder === undefined) return "the release has no page in a folder, so nothing to redirect to";
      return context.caller.send({ method: "GET", path: encodeURI(folder.slice(0, -1)), protocol });
    },
  },
  { name: "404, a page", isActive: false, statuses: [404], get: get((context) => `/${context.mark()}/`) },
  {
    name: "404, the API",
    isActive: false,
    statuses: [404],
    get: async (context, protocol) => {
      const [root] = context.contract.apiRoots;
      return root === undefined
        ? none
        : context.caller.send({ method: "GET", path: `/${root}/${context.mark()}`, protocol });
    },
  },
  { name: "405", isActive: true, statuses: [405], get: get(pagePath, { method: "DELETE" }) },
  {
    name: "400, malformed",
    isActive: true,
    statuses: [400],
    get: (context, protocol) =>
      protocol === "h2" ? get(() => "/%zz")(context, protocol) : malformed(context),
  },
  {
    name: "401, the API",
    isActive: true,
    statuses: [401],
    get: async (context, protocol) => {
      const route = context.contract.routes.find(({ access }) => access.kind !== "everyone");
      if (route === undefined) return none;
      const [honest] = honestCalls(context, route);
      if (honest === undefined) return `no sample in the plan that ${route.key} accepts`;
      return context.caller.call({ route, input: honest.input, protocol });
    },
  },
  { name: "403, the API", isActive: true, statuses: [403], get: forbidden },
  { name: "429, the API", isActive: true, statuses: [429], get: exhausted },
];

/** Says that the contract has nothing that could answer like this. */
const none = "none";

async function malformed(context: AuditContext): Promise<Exchange> {
  const response = await context.wire.sendRaw(
    `GET / HTTP/1.1\r\nhost: ${context.target.host}\r\nbad header: \x01\r\n\r\n`,
  );
  return { request: { method: "GET", path: "/", headers: [["bad header", "\x01"]] }, response };
}

/** Somebody with a token asks for what another one owns, or lacks the role. */
async function forbidden(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const names = Object.keys(context.plan.identities ?? {});
  for (const route of context.contract.routes) {
    if (route.access.kind !== "owner" && route.access.kind !== "role") continue;
    const [honest] = honestCalls(context, route);
    if (honest === undefined) continue;
    const roles = route.access.kind === "role" ? route.access.role : undefined;
    const as = names.find((name) =>
      roles === undefined
        ? name !== honest.as
        : !(context.plan.identities?.[name]?.roles ?? []).includes(roles),
    );
    if (as !== undefined) return context.caller.call({ route, as, input: honest.input, protocol });
  }
  const canBe = context.contract.routes.some(
    ({ access }) => access.kind === "owner" || access.kind === "role",
  );
  return canBe ? "no two identities in the plan that tell a 403" : none;
}

/** Spends one client's allowance on the route that has the least. */
async function exhausted(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const limited = context.contract.routes.flatMap((route) =>
    route.limits.filter(({ by }) => by === "client").map((limit) => ({ route, burst: limit.burst })),
  );
  const [least] = limited.sort((left, right) => left.burst - right.burst);
  if (least === undefined) return none;
  const client = context.caller.freshClient();
  if (client === undefined) return "the target can't be reached from several addresses";
  if (least.burst > 400) return `every limit admits more than 400 at once`;
  const { route } = least;
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return `no sample in the plan that ${route.key} accepts`;
  const bent =
    route.access.kind === "everyone" && route.method !== "GET"
      ? route.body === undefined
        ? { rawQuery: "undeclared=1" }
        : { rawBody: "{" }
      : {};
  const request = {
    ...(await context.caller.request({ route, input: honest.input, ...bent })),
    protocol,
    client,
  };
  for (let count = 0; count < least.burst * 2 + 10; count++) {
    const response = await context.wire.send(request);
    if (response.status === 429) return { request, response };
  }
  return `${route.key}: its limit was never reached`;
}

function headersOn(answer: AnswerClass, protocol: Protocol): Check {
  return {
    name: `${answer.name} (${protocol === "h2" ? "HTTP/2" : "HTTP/1.1"})`,
    kind: "live",
    isActive: answer.isActive,
    run: async (context, tally) => {
      const exchange = await answer.get(context, protocol);
      if (exchange === none)
        return tally.notApplicable(`the contract has nothing that answers ${answer.name}`, "routes");
      if (typeof exchange === "string") return tally.miss(exchange);
      const { status } = exchange.response;
      if (!answer.statuses.includes(status)) return unexpected(answer, exchange);
      const faults = headerFaults(context, exchange.response);
      tally.expect(
        faults.length === 0,
        see(
          context,
          `${answer.name}: ${faults.length === 0 ? "all security headers" : faults.join(", ")}`,
          exchange,
        ),
      );
    },
  };
}

function unexpected(answer: AnswerClass, { response }: Exchange): never {
  throw new CurtainwallError(
    "AUDIT_ANSWER_INVALID",
    `the answer was ${response.status} where ${answer.statuses.join(" or ")} was to be looked at`,
  );
}

/** FE-4: security headers. */
export const fe4: Rule = {
  id: "FE-4",
  checks: answers.flatMap((answer) => [headersOn(answer, "http/1.1"), headersOn(answer, "h2")]),
};
