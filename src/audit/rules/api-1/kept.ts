import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, mayBe, mayCall, mayTouchOthers } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { isShareable } from "../../answers/storable.ts";
import { isPathOf } from "./declared-paths.ts";
import { expectRefusal } from "./given-away.ts";
import { alikeToken } from "./alike-callers.ts";
import {
  honestCall,
  isSuccess,
  protectedRoutes,
  see,
  withoutProtectedRoutes,
  withoutRoutes,
} from "../shared.ts";
import { answerOf, expectServed, unservedBy } from "../unserved.ts";

/** Routes that are read, and not by everybody. Event streams are for as long as they last. */
export const privateReads = (context: AuditContext): ContractRoute[] =>
  protectedRoutes(context).filter(({ method, stream }) => method === "GET" && stream?.kind !== "events");

export const withoutPrivateReads = (context: AuditContext): string | undefined =>
  withoutProtectedRoutes(context) ??
  (privateReads(context).length === 0 ? "no route that needs a token is a GET" : undefined);

/** Who sees more of a route's answers than others do, if anybody does. */
function insiderOf({ plan }: AuditContext, { visible }: ContractRoute): string | undefined {
  const unless = visible?.unless;
  if (unless === undefined) return undefined;
  return Object.entries(plan.identities ?? {}).find(([, identity]) => mayBe(unless, identity))?.[0];
}

/** What answers say to caches, those of this stack and those on the way. */
export const keptByNobody: Check = {
  name: "no cache may keep what is for one caller",
  kind: "live",
  attack: { kind: "caching", promise: "access", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (privateReads(context).length > 0 ||
    context.contract.routes.some(({ visible }) => visible?.unless !== undefined)
      ? undefined
      : "no answer is for one caller alone"),
  run: async (context, tally) => {
    for (const route of privateReads(context)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const own = await context.caller.call({ route, ...honest });
      if (isSuccess(own.response.status)) judge(context, tally, `${route.key} as ${honest.as}`, own);
      else tally.miss(unservedBy(context, route, own));
      const refused = await context.caller.call({ route, input: honest.input });
      judge(context, tally, `${route.key}, refused`, refused);
    }
    for (const route of context.contract.routes) {
      const insider = insiderOf(context, route);
      if (insider === undefined || route.method !== "GET") continue;
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const seen = await context.caller.call({ route, input: honest.input, as: insider });
      judge(context, tally, `${route.key} as ${insider}, who sees more`, seen);
    }
  },
};

function judge(context: AuditContext, tally: Tally, what: string, exchange: Exchange): void {
  const { response } = exchange;
  const cookie = response.header("set-cookie");
  const says = response.header("cache-control") ?? "nothing";
  tally.expect(
    !isShareable(response) && cookie === undefined,
    see(
      context,
      `${what} (${response.status}): caches are told ${says}${cookie === undefined ? "" : ", and there is a cookie"}`,
      exchange,
    ),
  );
}

/** One address, asked by who may, by somebody else, and by nobody: each gets what is theirs. */
export const askedInTurn: Check = {
  name: "what one caller was given is given to nobody after it",
  kind: "live",
  attack: { kind: "caching", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutPrivateReads,
  run: async (context, tally) => {
    for (const route of privateReads(context)) {
      const calls = honestCalls(context, route);
      const honest =
        calls.find(({ input }) => input.canary !== undefined) ?? honestCall(context, route, tally);
      if (honest !== undefined) await inTurn(context, tally, route, honest);
    }
    await insidersFirst(context, tally);
  },
};

async function inTurn(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  honest: HonestCall,
): Promise<void> {
  const { input, as } = honest;
  const ask = (who: string | undefined, method = "GET"): Promise<Exchange> =>
    context.caller.call({ route, input, as: who, method });
  const first = await ask(as);
  if (!isSuccess(first.response.status)) return tally.miss(unservedBy(context, route, first));
  // Once more: some caches keep what is asked for twice.
  await ask(as);
  const body = first.response.text();
  const holds = ({ response }: Exchange): boolean =>
    (input.canary !== undefined && response.text().includes(input.canary)) ||
    (body.length > 20 && response.text() === body);
  const nobody = await ask(undefined);
  tally.expect(
    !isSuccess(nobody.response.status) && !holds(nobody),
    see(context, `${route.key}: asked by ${as}, then by nobody`, nobody),
  );
  if (isSharedBy(route)) return toEachTheirOwn(context, tally, route, { honest, first });
  const other = strangerTo(context, route, as);
  if (other === undefined) return;
  const second = await ask(other);
  tally.expect(
    !isSuccess(second.response.status) && !holds(second),
    see(context, `${route.key}: asked by ${as}, then by ${other}`, second),
  );
  const again = await ask(as);
  expectServed(context, tally, {
    route,
    about: `refused to others, and still there for ${as}`,
    exchange: again,
  });
}

/** Somebody whom the contract does not let have this object. */
export function strangerTo(
  context: AuditContext,
  route: ContractRoute,
  as: string | undefined,
): string | undefined {
  return Object.entries(context.plan.identities ?? {}).find(
    ([name, identity]) =>
      name !== as &&
      !("apiKey" in identity) &&
      (!mayCall(context, route, name) || !mayTouchOthers(route.access, identity)),
  )?.[0];
}

/** Whoever passes gets an answer of its own at the same address, so that a success is none of the others'. */
const isSharedBy = ({ access }: ContractRoute): boolean => access.kind === "signedIn";

/** Who asks next at an address that is everybody's gets no answer of who asked before. */
async function toEachTheirOwn(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  { honest: { as, input }, first }: { honest: HonestCall; first: Exchange },
): Promise<void> {
  const { canary } = input;
  const next = honestCalls(context, route).find((call) => call.as !== as);
  if (canary === undefined || next === undefined) return;
  if (!first.response.text().includes(canary))
    return tally.miss(
      `${route.key}: ${as}'s own answer does not hold its canary, so its absence elsewhere proves nothing`,
    );
  const second = await context.caller.call({ route, as: next.as, input: next.input });
  tally.expect(
    isSuccess(second.response.status) && !second.response.text().includes(canary),
    see(context, `${route.key}: asked by ${as}, then by ${next.as}, who gets an answer of its own`, second),
  );
  const token = await alikeToken(context, next.as, as);
  if (token === undefined) return;
  const about = `${route.key}: asked by ${as}, then by ${next.as} with the roles, scopes and tenant of ${as}`;
  const third = await context.caller.call({ route, token, input: next.input });
  if (!isSuccess(third.response.status))
    return tally.miss(`${about}: what the plan signed is answered ${answerOf(context, third)}`);
  tally.expect(
    !third.response.text().includes(canary),
    see(context, `${about}, who gets an answer of its own`, third),
  );
}

/** Who sees hidden objects asks first; then nobody. */
async function insidersFirst(context: AuditContext, tally: Tally): Promise<void> {
  for (const route of context.contract.routes) {
    const hidden = context.plan.hidden?.[route.key];
    const insider = insiderOf(context, route);
    if (hidden?.canary === undefined || insider === undefined || route.method !== "GET") continue;
    const [honest] = honestCalls(context, route);
    const input = { ...honest?.input, ...hidden };
    const first = await context.caller.call({ route, input, as: insider });
    if (!first.response.text().includes(hidden.canary)) {
      tally.miss(
        `${route.key}: ${insider} does not get to see what is hidden, so its absence proves nothing`,
      );
      continue;
    }
    const nobody = await context.caller.call({ route, input });
    tally.expect(
      !nobody.response.text().includes(hidden.canary),
      see(context, `${route.key}: asked by ${insider}, who sees what is hidden, then by nobody`, nobody),
    );
  }
}

/** Addresses that look like a file's to a cache, and like a route's to a careless router. */
const disguises: readonly (readonly [name: string, dress: (path: string) => string])[] = [
  ["a style sheet below it", (path) => `${path}/curtainwall.css`],
  ["a script behind a semicolon", (path) => `${path};curtainwall.js`],
  ["a picture's ending", (path) => `${path}.png`],
  ["a script behind an encoded slash", (path) => `${path}%2fcurtainwall.js`],
  ["a font behind a NUL", (path) => `${path}%00.woff2`],
  ["a style sheet behind a line break", (path) => `${path}%0acurtainwall.css`],
  ["a style sheet behind an encoded ?", (path) => `${path}%3fcurtainwall.css`],
  ["a style sheet behind an encoded #", (path) => `${path}%23curtainwall.css`],
  ["from a folder of assets, upwards", (path) => `/assets/..%2f${path.slice(1)}`],
  [
    "from a file of a folder of assets, upwards",
    (path) => `/assets/curtainwall.css/..%2f..%2f${path.slice(1)}`,
  ],
];

/** Web cache deception: somebody is led to an address of theirs that a cache takes for everybody's. */
export const noDisguise: Check = {
  name: "what is private is not at an address that looks like a file's",
  kind: "live",
  attack: { kind: "caching", promise: "routes", per: "route" },
  isActive: true,
  notApplicable: withoutPrivateReads,
  run: async (context, tally) => {
    for (const route of privateReads(context)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const plain = await context.caller.request({ route, ...honest });
      const [path = "/", query] = plain.path.split("?");
      const control = await context.caller.call({ route, ...honest });
      if (!isSuccess(control.response.status)) {
        tally.miss(unservedBy(context, route, control));
        continue;
      }
      for (const [name, dress] of disguises) {
        const dressed = dress(path);
        if (context.declaredRoutes.some((declared) => isPathOf(declared, dressed) && declared !== route))
          continue;
        const exchange = await context.caller.send(
          { ...plain, path: query === undefined ? dressed : `${dressed}?${query}` },
          { name: `${route.key} disguised`, burst: 20, isPerUser: true },
        );
        expectRefusal(context, tally, {
          about: `${route.key} as ${honest.as}: ${name}`,
          exchange,
          told: { canary: honest.input.canary, control },
          refuses: (status) => !isSuccess(status) || !isDisclosed(exchange, control, honest),
        });
      }
    }
  },
};

/** A parameter may take the ending along and name nothing: then there is nothing of anybody's. */
const isDisclosed = (exchange: Exchange, control: Exchange, { input }: HonestCall): boolean => {
  const text = exchange.response.text();
  return (input.canary !== undefined && text.includes(input.canary)) || text === control.response.text();
};
