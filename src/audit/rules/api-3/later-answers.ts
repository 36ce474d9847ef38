import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange, ProbeRequest } from "../../probes/probe.ts";
import { brokenBody } from "../../requests/input-values.ts";
import { honestCalls, mayCall } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";

/** An ordinary request that is made again and again, to see whether its answer stays what it was. */
export interface Look {
  readonly what: string;
  /** The contract serves it; where it says so, an answer that is no success shows nothing. */
  readonly isHonest: boolean;
  /** It writes: that the second is refused as a copy of the first (404, 409, 410) may be right. */
  readonly writes: boolean;
  /** It is refused for who asks: only what says who may do what can change that. */
  readonly isAboutRights: boolean;
  ask(): Promise<Exchange>;
}

/** Ordinary requests around a route: of who is served there, of others, of who is refused, and of what is no route's. */
export function looksAround(context: AuditContext, route: ContractRoute): Look[] {
  const { declaredRoutes } = context;
  const reads = declaredRoutes.filter(
    ({ method, stream, key }) => method === "GET" && stream === undefined && key !== route.key,
  );
  const other = reads.find((one) => honestCalls(context, one).length > 0);
  const guarded = [route, ...reads].find(({ access }) => access.kind !== "everyone");
  // Bodies are what is merged most; of reads, what a user may ask elsewhere is left to the user.
  const byRole = [route, ...(route.body === undefined ? [] : reads)].find(({ access }) =>
    accessParts(access).some(({ kind }) => kind === "role" || kind === "scope"),
  );
  return [
    ...honestCalls(context, route)
      .slice(0, 2)
      .map((_, index) => served(context, route, index)),
    ...(other === undefined ? [] : [served(context, other, 0)]),
    ...(guarded === undefined ? [] : withoutToken(context, guarded)),
    ...(byRole === undefined ? [] : byWhoMayNot(context, byRole)),
    ...unreadable(context, route),
    preflight(context, route),
    nothing(context),
  ];
}

/** Samples may be made anew for each request. */
function served(context: AuditContext, route: ContractRoute, index: number): Look {
  const call = (): HonestCall | undefined => honestCalls(context, route)[index];
  const { as, input } = call() ?? { as: undefined, input: {} };
  return {
    what: `${route.key} of ${as ?? "a visitor"}`,
    isHonest: true,
    writes: route.method !== "GET",
    isAboutRights: false,
    ask: () => context.caller.call({ route, protocol, ...(call() ?? { as, input }) }),
  };
}

/** One alone: what differs between two is no change. */
const protocol = "http/1.1";

function withoutToken(context: AuditContext, route: ContractRoute): Look[] {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return [];
  const { input } = honest;
  return [refused(`${route.key} without a token`, () => context.caller.call({ route, protocol, input }))];
}

function byWhoMayNot(context: AuditContext, route: ContractRoute): Look[] {
  const [honest] = honestCalls(context, route);
  const as = Object.keys(context.plan.identities ?? {}).find((name) => !mayCall(context, route, name));
  if (honest === undefined || as === undefined) return [];
  const { input } = honest;
  const what = `${route.key} of ${as}, who may not`;
  const ask = (): Promise<Exchange> => context.caller.call({ route, protocol, as, input });
  return [{ ...refused(what, ask), isAboutRights: true }];
}

function unreadable(context: AuditContext, route: ContractRoute): Look[] {
  // The others are asked for what they are served: what users may ask is shared out.
  const honest = honestCalls(context, route).at(-1);
  if (honest === undefined || route.body === undefined) return [];
  const { as, input } = honest;
  const rawBody = brokenBody(route);
  return [
    refused(`${route.key} with a body that nobody can read`, () =>
      context.caller.call({ route, protocol, as, input, rawBody }),
    ),
  ];
}

function preflight(context: AuditContext, route: ContractRoute): Look {
  const [origin = context.contract.origin] = context.contract.corsOrigins;
  const segments = route.segments.map((segment) => ("text" in segment ? segment.text : "1"));
  const request: ProbeRequest = {
    method: "OPTIONS",
    path: `/${segments.join("/")}`,
    headers: [
      ["origin", origin],
      ["access-control-request-method", route.method],
    ],
    protocol,
  };
  return refused(`OPTIONS of ${route.key}`, () => context.caller.send(request));
}

function nothing(context: AuditContext): Look {
  const request: ProbeRequest = { method: "GET", path: `/api/${context.mark()}`, protocol };
  return refused("what is not there", () => context.caller.send(request));
}

const refused = (what: string, ask: Look["ask"]): Look => ({
  what,
  isHonest: false,
  writes: false,
  isAboutRights: false,
  ask,
});

/** How an answer looks, apart from what it says. */
export type Appearance = ReadonlyMap<string, string>;

const compared = new Set(["content-type", "allow", "access-control-expose-headers"]);

/** What of an answer stays as it is while a server does. */
export function appearanceOf({ response }: Exchange): Appearance {
  const { status, headers } = response;
  return new Map([
    ["the status", String(status)],
    ["how its JSON is laid out", layoutOf(response.text())],
    ...headers.map(([name, value]): [string, string] => [
      `the header ${name}`,
      compared.has(name) ? value : "there",
    ]),
  ]);
}

function layoutOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const spaces = [0, 1, 2, 3, 4].find((count) => JSON.stringify(value, null, count) === text);
    return spaces === undefined ? "in a way of its own" : `with ${spaces} spaces`;
  } catch {
    return "none";
  }
}

/** What differs, in words; undefined: nothing that was the same twice before. */
export function changeOf([one, two]: readonly [Appearance, Appearance], now: Appearance): string | undefined {
  for (const name of new Set([...one.keys(), ...now.keys()])) {
    const before = one.get(name);
    const after = now.get(name);
    if (before === two.get(name) && before !== after)
      return `${name} was ${before ?? "not there"}, and is ${after ?? "not there"}`;
  }
  return undefined;
}
