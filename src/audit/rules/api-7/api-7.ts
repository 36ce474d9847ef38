import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { findHeaderLeaks, findLeaks } from "../../answers/leaks.ts";
import type { Leak } from "../../answers/leaks.ts";
import { canariesStay, successBodies, upstreamFails } from "./bodies.ts";
import { declaredErrors } from "./errors.ts";
import { entityTags, responseHeaders } from "./headers.ts";
import { liesStay } from "./lies.ts";
import { maxLateMs, noLedger } from "../ledger-records.ts";
import { slownessOf } from "../promptness.ts";
import { problemOf, provocations } from "../provocations.ts";
import type { Provocation } from "../provocations.ts";
import { mediaType, see, withoutRoutes } from "../shared.ts";

/** Looks at every provoked error that is one. */
function overErrors(
  name: string,
  look: (context: AuditContext, tally: Tally, provocation: Provocation) => Promise<void> | void,
  more: Partial<Check> = {},
): Check {
  return {
    name,
    kind: "live",
    attack: { kind: "errors", promise: "errors", per: "route" },
    isActive: true,
    ...more,
    run: async (context, tally) => {
      const { list, missing } = await provocations(context);
      for (const reason of missing) tally.miss(reason);
      for (const provocation of list)
        if (provocation.exchange.response.status >= 400) await look(context, tally, provocation);
    },
  };
}

const isApi = (context: AuditContext, { exchange }: Provocation): boolean =>
  context.contract.apiRoots.has(exchange.request.path.split(/[/?]/)[1] ?? "");

const oneShape = overErrors(
  "one error shape with an id (RFC 9457)",
  (context, tally, provocation) => {
    if (!isApi(context, provocation) || provocation.isAskedOtherwise === true) return;
    const { name, exchange } = provocation;
    const problem = problemOf(exchange);
    const isProblem =
      mediaType(exchange) === "application/problem+json" &&
      problem?.status === exchange.response.status &&
      typeof problem.title === "string" &&
      typeof problem.id === "string" &&
      problem.id.length >= 8;
    tally.expect(isProblem, see(context, `${name}: a problem document with an id`, exchange));
  },
  { notApplicable: withoutRoutes },
);

const noInside = overErrors(
  "no stack, path, SQL or version in errors",
  (context, tally, { name, exchange }) => {
    const { response } = exchange;
    const [leak] = [
      ...findLeaks(response.text()),
      ...findHeaderLeaks(response.headers),
      ...response.headers.flatMap(inOwnHeader),
    ];
    tally.expect(
      leak === undefined,
      see(
        context,
        leak === undefined
          ? `${name}: nothing of the inside`
          : `${name}: shows ${leak.what}: ${leak.excerpt}`,
        exchange,
      ),
    );
  },
);

/** What a header that no standard knows says as a body would. A path in one may be the request's own. */
const inOwnHeader = ([name, value]: readonly [string, string]): Leak[] =>
  name.startsWith("x-")
    ? findLeaks(value)
        .filter(({ what }) => what !== "a path of the server")
        .map(({ what, excerpt }) => ({ what: `${what} in the header ${name}`, excerpt }))
    : [];

const noEcho = overErrors(
  "errors do not repeat what was sent",
  (context, tally, { name, mark, exchange }) => {
    const { response } = exchange;
    const heads = response.headers.filter(([header]) => header !== "location").map(([, value]) => value);
    const echoes = response.text().includes(mark) || heads.some((value) => value.includes(mark));
    tally.expect(!echoes, see(context, `${name}: the canary in the request is not in the answer`, exchange));
  },
);

const noCrash = overErrors("a bad request is never a 5xx", (context, tally, { name, exchange }) => {
  tally.expect(exchange.response.status < 500, see(context, `${name}: a client's mistake is 4xx`, exchange));
});

const inLedger: Check = {
  name: "an error's id is in the ledger",
  kind: "live",
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    if (context.lookUpLedger === undefined) return tally.miss(noLedger);
    const { list } = await provocations(context);
    const api = list.filter(
      (provocation) =>
        isApi(context, provocation) &&
        provocation.isAskedOtherwise !== true &&
        provocation.exchange.response.status >= 400,
    );
    const endsAt = context.now() + maxLateMs;
    let slow: Promise<string | undefined> | undefined;
    for (const { name, exchange } of api) {
      const id = problemOf(exchange)?.id;
      const isFound = typeof id === "string" && (await isLogged(context, id, endsAt));
      const slowness = isFound || typeof id !== "string" ? undefined : await (slow ??= slownessOf(context));
      if (slowness !== undefined) tally.miss(`${name}: the ledger has nothing of it yet, but ${slowness}`);
      else if (typeof id !== "string")
        tally.fail(see(context, `${name}: the error has no id to look up`, exchange));
      else tally.expect(isFound, see(context, `${name}: the ledger has the event ${id}`, exchange));
    }
  },
};

/** The ledger is another process: it may be a moment behind. All of them together have this long. */
async function isLogged(context: AuditContext, id: string, endsAt: number): Promise<boolean> {
  for (;;) {
    if ((await context.lookUpLedger?.(id)) !== undefined) return true;
    if (context.now() >= endsAt) return false;
    await context.sleep(100);
  }
}

/** API-7: no leaks in errors. */
export const api7: Rule = {
  id: "API-7",
  checks: [
    oneShape,
    noInside,
    noEcho,
    noCrash,
    upstreamFails,
    liesStay,
    declaredErrors,
    successBodies,
    responseHeaders,
    entityTags,
    canariesStay,
    inLedger,
  ],
};
