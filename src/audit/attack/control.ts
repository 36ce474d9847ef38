import { z } from "zod";
import type { ContractRoute } from "../../contract/index.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { Exchange } from "../probes/probe.ts";
import { isSuccess, notTheSite, pagesOf } from "../rules/shared.ts";
import { listenLonger, successFault } from "../rules/success-faults.ts";
import { answerOf } from "../rules/unserved.ts";
import type { Unit } from "./units.ts";

/** Says why refusals show nothing, where who is honest is not served as the contract says; undefined where all is well. */
export interface Controls {
  of(unit: Pick<Unit, "kind" | "route">): Promise<string | undefined>;
}

/** Asks each route once, honestly, and the site for its first page. */
export function createControls(context: AuditContext): Controls {
  const routes = new Map<string, Promise<string | undefined>>();
  let site: Promise<string | undefined> | undefined;
  const ofRoute = (route: ContractRoute): Promise<string | undefined> => {
    const known = routes.get(route.key) ?? askHonestly(context, route);
    routes.set(route.key, known);
    return known;
  };
  return {
    of: ({ kind, route }) => {
      if (route !== undefined) return ofRoute(route);
      // What TLS refuses is refused before anybody says what they want: its control is a handshake.
      if (kind === "tls") return Promise.resolve(undefined);
      return (site ??= siteIsServed(context, ofRoute));
    },
  };
}

/** For so long an upstream is left alone that failed. */
const restMs = 1000;

/** A route is what the contract says if one honest request is answered as declared: "200 to everything" is not. */
async function askHonestly(context: AuditContext, route: ContractRoute): Promise<string | undefined> {
  try {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) return lacking(context, route);
    const isStream = route.stream?.kind === "events";
    const call = { route, ...honest, ...(isStream ? { listen: listenLonger } : {}) };
    let exchange = await context.caller.call(call);
    if (exchange.response.status >= 500) {
      // Once more: a machine that has much to do has its moments, and an upstream that failed may be left alone for one.
      await context.sleep(restMs);
      exchange = await context.caller.call(call);
    }
    const { status } = exchange.response;
    if (!isSuccess(status)) return unserved(route, `was answered ${answerOf(context, exchange)}`);
    return isAsDeclared(route, exchange)
      ? undefined
      : unserved(route, "is answered with something else than declared");
  } catch (error) {
    return unserved(route, `got no answer: ${reasonOf(error)}`);
  }
}

/** Fields beyond those that are declared are another attack's business: it is the right route all the same. */
function isAsDeclared(route: ContractRoute, exchange: Exchange): boolean {
  if (route.response === undefined || route.stream !== undefined)
    return successFault(route, exchange)?.kind !== "fault";
  try {
    return z.safeParse(route.response, JSON.parse(exchange.response.text())).success;
  } catch {
    return false;
  }
}

const unserved = ({ key }: ContractRoute, how: string): string =>
  `${key}: an honest request ${how}, so that others are refused shows nothing`;

const maxRoutesAsked = 5;

async function siteIsServed(
  context: AuditContext,
  ofRoute: (route: ContractRoute) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (pagesOf(context).length > 0) return notTheSite(context).catch(reasonOf);
  let reason = "there is no page and no route, so nothing shows that this is the site";
  for (const route of context.contract.routes.slice(0, maxRoutesAsked)) {
    const found = await ofRoute(route);
    if (found === undefined) return undefined;
    reason = found;
  }
  return reason;
}
