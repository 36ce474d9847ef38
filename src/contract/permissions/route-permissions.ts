import type { ContractRoute, ContractStream } from "../contract/route.ts";
import type { Schema } from "../define/schema.ts";
import { accessPermissions, visibleGuard } from "./access-permissions.ts";
import type { Guards, Permission, Permits } from "./permission.ts";
import { schemaPermissions } from "./schema-node.ts";

/** What a route permits, but for options that are compared as they are written. */
export function routePermissions(route: ContractRoute, hasKeys: boolean): Permission[] {
  const { key } = route;
  const entry = (what: string, permits: Permits): Permission => ({ at: `${key} ${what}`, permits });
  /** Members alone: with or without them, an object of these is always there. */
  const fields = (what: string, schema: Schema | undefined): Permission[] =>
    schema === undefined
      ? []
      : schemaPermissions(schema, `${key} ${what}`, "input").filter(({ at }) => at !== `${key} ${what}`);
  const answer = (what: string, schema: Schema): Permission[] =>
    schemaPermissions(schema, `${key} ${what}`, "output");
  return [
    ...accessPermissions(route, hasKeys),
    entry("limit", { limits: route.limits.map(({ text }) => text).sort() }),
    entry("guards", { guards: guardsOf(route) }),
    entry("to", route.to),
    ...fields("params", route.params),
    ...fields("query", route.query),
    ...fields("headers", route.headers),
    ...fields("cookies", route.cookies),
    ...bodyOf(route),
    ...(route.response === undefined ? [] : answer("response", route.response)),
    ...[...route.responseHeaders].flatMap(([name, schema]) => answer(`responseHeaders/${name}`, schema)),
    ...[...route.errors].flatMap(([status, schema]) => answer(`errors/${status}`, schema)),
    ...(route.stream === undefined ? [] : streamOf(route.stream, entry, answer)),
    // What the stack keeps for a subject it gives to that subject alone; a browser keeps it for whoever sits there next.
    ...(route.cache === undefined || route.cache.browserSeconds === 0
      ? []
      : [entry("cache browserSeconds", { atMost: route.cache.browserSeconds })]),
    // A day as a number: an earlier one permits less.
    ...(route.observe === undefined
      ? []
      : [entry("observe, day", { atMost: Number(route.observe.until.replaceAll("-", "")) })]),
    ...(route.idempotent === true ? [entry("idempotent", "sent again")] : []),
  ].filter(({ permits }) => !isWithoutGuards(permits));
}

/** No line says that there are none: it would stand in each lock, for almost each route. */
const isWithoutGuards = (permits: Permits): boolean =>
  typeof permits === "object" && "guards" in permits && Object.keys(permits.guards).length === 0;

function guardsOf(route: ContractRoute): Guards {
  const { pace, concurrency, failures, spends, createsSession, visible, hide, webhook } = route;
  return {
    ...(pace === undefined ? {} : { pace: pace.text }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(failures === undefined
      ? {}
      : {
          failures: {
            limits: failures.limits.map(({ text }) => text).sort(),
            statuses: failures.statuses.toSorted((left, right) => left - right),
          },
        }),
    ...(spends.length === 0
      ? {}
      : { spends: Object.fromEntries(spends.map(({ budget, cost }) => [budget.name, cost])) }),
    ...(createsSession ? { createsSession } : {}),
    ...(visible === undefined ? {} : { visible: visibleGuard(visible) }),
    ...(hide === true ? { hide } : {}),
    ...(webhook === undefined ? {} : { webhook }),
  };
}

function bodyOf({ key, method, body, bodyType, maxBodyBytes, jsonLimits }: ContractRoute): Permission[] {
  if (body === undefined)
    return method === "GET" || method === "DELETE" ? [] : [{ at: `${key} body`, permits: { type: "none" } }];
  return [
    ...schemaPermissions(body, `${key} body`, "input"),
    { at: `${key} bodyType`, permits: bodyType },
    { at: `${key} maxBodyBytes`, permits: { atMost: maxBodyBytes } },
    ...Object.entries(jsonLimits).map(([name, most]: [string, number]) => ({
      at: `${key} jsonLimits ${name}`,
      permits: { atMost: most },
    })),
  ];
}

function streamOf(
  stream: ContractStream,
  entry: (what: string, permits: Permits) => Permission,
  answer: (what: string, schema: Schema) => Permission[],
): Permission[] {
  if (stream.kind === "download")
    return [
      ...stream.types.map((type) => entry("download", type)),
      entry("download maxBytes", { atMost: stream.maxBytes }),
    ];
  return [
    ...[...stream.events].flatMap(([name, schema]) => answer(`events/${name}`, schema)),
    entry("events maxEventBytes", { atMost: stream.maxEventBytes }),
    entry("events maxSeconds", { atMost: stream.maxSeconds }),
  ];
}
