import { z } from "zod";
import { baseSecurityHeaders } from "../../../contract/index.ts";
import type { ContractRoute, Schema } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { printable } from "../../evidence.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { ProbeResponse } from "../../probes/probe.ts";
import { honestCall, isSuccess, protectedRoutes, see, withoutRoutes } from "../shared.ts";
import { unservedBy } from "../unserved.ts";

/** What servers, the platform and proxies on the way say of any answer; all else is the upstream's, and must be declared. */
const ordinary = new Set([
  ...baseSecurityHeaders.map(([name]) => name),
  ..."content-security-policy reporting-endpoints report-to".split(" "),
  ..."content-type content-length content-encoding transfer-encoding".split(" "),
  ..."date age cache-status cache-control vary connection keep-alive via server alt-svc".split(" "),
  ..."ratelimit ratelimit-policy retry-after allow www-authenticate dpop-nonce x-accel-buffering".split(" "),
  ..."access-control-allow-origin access-control-expose-headers".split(" "),
]);

export const responseHeaders: Check = {
  name: "success headers hold nothing undeclared, and lead nowhere else",
  kind: "live",
  attack: { kind: "answers", promise: "responseHeaders", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      for (const honest of calls.slice(0, 1)) {
        const exchange = await context.caller.call({ route, ...honest });
        if (!isSuccess(exchange.response.status)) {
          tally.miss(unservedBy(context, route, exchange));
          continue;
        }
        const fault = headerFault(context, route, exchange.response);
        tally.expect(
          fault === undefined,
          see(context, `${route.key}: ${fault ?? "no header that is not declared"}`, exchange),
        );
      }
    }
  },
};

/** Says what header of a success is not as declared. */
export function headerFault(
  { contract }: AuditContext,
  { responseHeaders: declared, etag, cache, stream }: ContractRoute,
  response: ProbeResponse,
): string | undefined {
  for (const [name, value] of response.headers) {
    const schema = declared.get(name);
    if (schema === undefined) {
      const isOurs =
        ordinary.has(name) ||
        (name === "etag" && (etag || cache !== undefined)) ||
        (name === "content-disposition" && stream?.kind === "download");
      if (!isOurs) return `a header ${printable(name, 60)} that is not declared`;
    } else if (!z.safeParse(schema, value).success) return `its header ${name} is not as declared`;
    else if (name === "location" && !listsValues(schema) && !isOnSite(value, contract.origin))
      return `it leads elsewhere: ${printable(value, 100)}`;
  }
  for (const [name, schema] of declared)
    if (response.header(name) === undefined && !z.safeParse(schema, undefined).success)
      return `the declared header ${name} is missing`;
  return undefined;
}

/** An enum or literals: each value was written into the contract. */
function listsValues(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return (
    def.type === "enum" || def.type === "literal" || (def.type === "optional" && listsValues(def.innerType))
  );
}

/** A path that no browser takes for another host's. */
function isOnSite(location: string, origin: string): boolean {
  const url = URL.parse(location, origin);
  return url?.origin === origin && url.username === "" && !/[\\\s]|^\/\//.test(location);
}

const withoutTags = (context: AuditContext): string | undefined =>
  withoutRoutes(context) ??
  (context.contract.routes.some(({ etag }) => etag) ? undefined : "no route has an ETag");

/** Who has a tag may be told that nothing has changed, if it is allowed to know so much. */
export const entityTags: Check = {
  name: "an ETag spares a body, and opens nothing",
  kind: "live",
  attack: { kind: "caching", promise: "etag", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutTags,
  run: async (context, tally) => {
    const isProtected = new Set(protectedRoutes(context));
    for (const route of context.contract.routes.filter(({ etag }) => etag)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const first = await context.caller.call({ route, ...honest });
      const tag = first.response.header("etag");
      if (tag === undefined) {
        tally.fail(see(context, `${route.key}: its answer has an ETag`, first));
        continue;
      }
      const ask = (as: string | undefined, value: string): ReturnType<typeof context.caller.call> =>
        context.caller.call({ route, as, input: honest.input, headers: [["if-none-match", value]] });
      const known = await ask(honest.as, tag);
      tally.expect(
        known.response.status === 304 && known.response.body.length === 0,
        see(context, `${route.key}: who has it is told that it has not changed (304)`, known),
      );
      const other = await ask(honest.as, `"${context.mark()}"`);
      tally.expect(
        isSuccess(other.response.status),
        see(context, `${route.key}: who has another gets the answer`, other),
      );
      if (!isProtected.has(route)) continue;
      const stranger = await ask(undefined, tag);
      tally.expect(
        stranger.response.status !== 304 && !isSuccess(stranger.response.status),
        see(context, `${route.key}: a tag replaces no token`, stranger),
      );
    }
  },
};
