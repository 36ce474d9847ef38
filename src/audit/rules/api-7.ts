import { z } from "zod";
import { closeObjects } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { Check, Rule, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { printable } from "../evidence.ts";
import { honestCalls, lacking } from "../inputs.ts";
import { findHeaderLeaks, findLeaks } from "../leaks.ts";
import type { Exchange } from "../probe.ts";
import { provocations } from "./provocations.ts";
import type { Provocation } from "./provocations.ts";
import { isSuccess, mediaType, see } from "./shared.ts";

/** Looks at every provoked error that is one. */
function overErrors(
  name: string,
  look: (context: AuditContext, tally: Tally, provocation: Provocation) => Promise<void> | void,
): Check {
  return {
    name,
    kind: "live",
    isActive: true,
    run: async (context, tally) => {
      const { list, missing } = await provocations(context);
      for (const reason of missing) tally.miss(reason);
      for (const provocation of list)
        if (provocation.exchange.response.status >= 400) await look(context, tally, provocation);
    },
  };
}

interface Problem {
  type?: unknown;
  title?: unknown;
  status?: unknown;
  code?: unknown;
  id?: unknown;
}

function problemOf({ response }: Exchange): Problem | undefined {
  try {
    const value = JSON.parse(response.text()) as unknown;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const isApi = (context: AuditContext, { exchange }: Provocation): boolean =>
  context.contract.apiRoots.has(exchange.request.path.split(/[/?]/)[1] ?? "");

const oneShape = overErrors("one error shape with an id (RFC 9457)", (context, tally, provocation) => {
  if (!isApi(context, provocation)) return;
  const { name, exchange } = provocation;
  const problem = problemOf(exchange);
  const isProblem =
    mediaType(exchange) === "application/problem+json" &&
    problem?.status === exchange.response.status &&
    typeof problem.title === "string" &&
    typeof problem.id === "string" &&
    problem.id.length >= 8;
  tally.expect(isProblem, see(context, `${name}: a problem document with an id`, exchange));
});

const noInside = overErrors(
  "no stack, path, SQL or version in errors",
  (context, tally, { name, exchange }) => {
    const leaks = [...findLeaks(exchange.response.text()), ...findHeaderLeaks(exchange.response.headers)];
    const [leak] = leaks;
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

const upstreamFails: Check = {
  name: "an upstream's failure stays inside",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (context.contract.routes.length === 0)
      return tally.notApplicable("the contract declares no route", "routes");
    let seen = 0;
    for (const route of context.contract.routes) {
      for (const honest of honestCalls(context, route, "failures").slice(0, 1)) {
        const exchange = await context.caller.call({ route, ...honest });
        const { response } = exchange;
        if (response.status < 500) {
          tally.miss(`${route.key}: the failure in the plan was answered ${response.status}, not 5xx`);
          continue;
        }
        seen++;
        const text = response.text();
        const [leak] = [...findLeaks(text), ...findHeaderLeaks(response.headers)];
        const canary = context.plan.canaries?.find((planted) => text.includes(planted));
        const says =
          leak === undefined
            ? canary === undefined
              ? "nothing of the inside"
              : "shows a planted canary"
            : `shows ${leak.what}: ${leak.excerpt}`;
        const isProblem =
          mediaType(exchange) === "application/problem+json" && typeof problemOf(exchange)?.id === "string";
        tally.expect(
          leak === undefined && canary === undefined && isProblem,
          see(context, `${route.key} when its upstream fails: ${says}`, exchange),
        );
      }
    }
    if (seen === 0) tally.miss("the plan's failures name no request that makes an upstream fail");
  },
};

const successBodies: Check = {
  name: "success bodies hold nothing undeclared",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (context.contract.routes.length === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of context.contract.routes) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      for (const honest of route.method === "GET" ? calls : calls.slice(0, 1)) {
        const exchange = await context.caller.call({ route, ...honest });
        if (isSuccess(exchange.response.status)) {
          const fault = bodyFault(route, exchange);
          tally.expect(
            fault === undefined,
            see(context, `${route.key}: ${fault ?? "the body is what the contract declares"}`, exchange),
          );
        } else tally.miss(`${route.key}: the honest request was answered ${exchange.response.status}`);
      }
    }
  },
};

function bodyFault(route: ContractRoute, { response }: Exchange): string | undefined {
  if (route.response === undefined)
    return response.body.length === 0 ? undefined : "there is a body where none is declared";
  if (response.truncated) return "the body is longer than what an audit reads";
  let value: unknown;
  try {
    value = JSON.parse(response.text());
  } catch {
    return "the body is not JSON";
  }
  const result = z.safeParse(closeObjects(route.response, "refuse"), value);
  const [issue] = result.error?.issues ?? [];
  return issue === undefined ? undefined : printable(`at /${issue.path.join("/")}: ${issue.message}`, 200);
}

const canariesStay: Check = {
  name: "planted canaries stay inside",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const canaries = context.plan.canaries ?? [];
    if (canaries.length === 0) return tally.miss("the plan names no canary");
    const look = (name: string, exchange: Exchange): void => {
      const text = `${exchange.response.headers.map((header) => header.join(": ")).join("\n")}\n${exchange.response.text()}`;
      const found = canaries.find((canary) => text.includes(canary));
      tally.expect(
        found === undefined,
        see(context, `${name}: ${found === undefined ? "no canary" : `the canary "${found}"`}`, exchange),
      );
    };
    for (const route of context.contract.routes) {
      for (const honest of route.method === "GET" ? honestCalls(context, route) : [])
        look(route.key, await context.caller.call({ route, ...honest }));
    }
    for (const { name, exchange } of (await provocations(context)).list) look(name, exchange);
  },
};

const inLedger: Check = {
  name: "an error's id is in the ledger",
  kind: "live",
  isActive: true,
  applies: (context) => context.lookUpLedger !== undefined,
  run: async (context, tally) => {
    const { list } = await provocations(context);
    const api = list.filter(
      (provocation) => isApi(context, provocation) && provocation.exchange.response.status >= 400,
    );
    for (const { name, exchange } of api) {
      const id = problemOf(exchange)?.id;
      if (typeof id !== "string")
        tally.fail(see(context, `${name}: the error has no id to look up`, exchange));
      else
        tally.expect(
          await isLogged(context, id),
          see(context, `${name}: the ledger has the event ${id}`, exchange),
        );
    }
  },
};

/** The ledger is another process: it may be a moment behind. */
async function isLogged(context: AuditContext, id: string): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    if ((await context.lookUpLedger?.(id)) !== undefined) return true;
    await context.sleep(100);
  }
  return false;
}

/** API-7: no leaks in errors. */
export const api7: Rule = {
  id: "API-7",
  checks: [oneShape, noInside, noEcho, noCrash, upstreamFails, successBodies, canariesStay, inLedger],
};
