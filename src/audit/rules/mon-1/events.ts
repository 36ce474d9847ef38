import { paramNames } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { maxLateMs, noLedger, whenLogged } from "../ledger-records.ts";
import type { LedgerEntry } from "../ledger-records.ts";
import { slownessOf } from "../promptness.ts";
import { problemOf } from "../provocations.ts";
import { isClientError, see } from "../shared.ts";
import { known, timed } from "./deeds.ts";
import type { Deed } from "./deeds.ts";
import { crowdedCalls, foreignPage, knownCallers, strangersCalls, tooMany } from "./refusals.ts";
import { webhookCalls } from "./webhook-deeds.ts";

/** The stack's clock and the audit's are one; a thread may be late to look at it. */
const clockMs = 2000;

export const eventsReachLog: Check = {
  name: "marked events reach the log",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const { ledger } = context;
    if (ledger === undefined) return tally.miss(noLedger);
    const deeds = [
      ...(await refusedCalls(context, tally)),
      ...(await strangersCalls(context, tally)),
      ...(await knownCallers(context)),
      ...(await foreignPage(context)),
      ...(await crowdedCalls(context)),
      ...(await tooMany(context)),
      ...(await failures(context)),
      ...(await reports(context, tally)),
      ...(await webhookCalls(context)),
      ...(await malformed(context, tally)),
    ];
    const found = await whenLogged(context, ledger, deeds, (record, { isOf }) => isOf(record));
    // A machine that has no time for an honest request has none for the log either.
    const slowness = deeds.every((deed) => found.has(deed)) ? undefined : await slownessOf(context);
    for (const deed of deeds) {
      const record = found.get(deed);
      if (record === undefined && slowness !== undefined)
        tally.miss(
          `${deed.about}: the log has nothing of it after ${maxLateMs / 1000} seconds, but ${slowness}`,
        );
      else judge(context, tally, deed, record);
    }
  },
};

function judge(context: AuditContext, tally: Tally, deed: Deed, record: LedgerEntry | undefined): void {
  const { about, exchange } = deed;
  const fault =
    record === undefined
      ? `the log has nothing of it after ${maxLateMs / 1000} seconds`
      : (wrongField(deed, record) ?? wrongTime(deed, record));
  const says =
    fault ??
    `record ${Number(record?.["seq"])} of the log, ${String(record?.["event"])} from ${String(record?.["source"])}`;
  tally.expect(fault === undefined, see(context, `${about}: ${says}`, exchange));
}

function wrongField({ says }: Deed, record: LedgerEntry): string | undefined {
  const wrong = Object.entries(says).find(([name, value]) => record[name] !== value);
  return wrong === undefined
    ? undefined
    : `its record says ${wrong[0]} ${JSON.stringify(record[wrong[0]])} and not ${JSON.stringify(wrong[1])}`;
}

function wrongTime({ at: [from, to] }: Deed, { time }: LedgerEntry): string | undefined {
  const when = Date.parse(String(time));
  return when >= from - clockMs && when <= to + clockMs ? undefined : `its record says ${String(time)}`;
}

/** Every route, called by nobody and with what it does not take. */
async function refusedCalls(context: AuditContext, tally: Tally): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const route of context.contract.routes) {
    const done = await timed(context, () => callAsNobody(context, route));
    const { response, request } = done.exchange;
    const problem = problemOf(done.exchange);
    const id = problem?.id;
    if (!isClientError(response.status) || typeof id !== "string") {
      tally.miss(`${route.key}: a call that it does not take was answered ${response.status}, without an id`);
      continue;
    }
    deeds.push({
      ...done,
      about: `${route.key} refused`,
      isOf: (record) => record["id"] === id,
      says: known({
        event: "gateway.request.refused",
        source: "edge",
        severity: "notice",
        route: route.key,
        status: response.status,
        code: problem?.code,
        client: request.client,
      }),
    });
  }
  return deeds;
}

const callAsNobody = (context: AuditContext, route: ContractRoute): Promise<Exchange> => {
  const mark = context.mark();
  return context.caller.call({
    route,
    input: {},
    signature: {},
    rawParams: Object.fromEntries(paramNames(route.segments).map((name) => [name, mark])),
    rawQuery: `${mark}=${mark}`,
  });
};

/** What the plan knows to make an upstream or a function fail. */
async function failures(context: AuditContext): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const route of context.contract.routes) {
    const failure = context.plan.failures?.[route.key];
    const [honest] = failure === undefined ? [] : honestCalls(context, route, failure);
    if (honest === undefined) continue;
    const done = await timed(context, () => context.caller.call({ route, ...honest }));
    const id = problemOf(done.exchange)?.id;
    if (done.exchange.response.status < 500 || typeof id !== "string") continue;
    deeds.push({
      ...done,
      about: `${route.key} failed`,
      isOf: (record) => record["id"] === id && isOfGateway(record) && record["severity"] !== "notice",
      says: { source: "edge", route: route.key },
    });
    const name = /^fn:(.*)$/.exec(route.to)?.[1];
    if (name === undefined) continue;
    deeds.push({
      ...done,
      about: `the function ${name} failed`,
      isOf: (record) => record["id"] === id && !isOfGateway(record),
      says: { event: "function.failed", source: "functions", severity: "warning", function: name },
    });
  }
  return deeds;
}

const isOfGateway = ({ event }: LedgerEntry): boolean => String(event).startsWith("gateway.");

/** Reports of pages' violations, as browsers send them: by `report-to`, and by `report-uri`. */
async function reports(context: AuditContext, tally: Tally): Promise<Deed[]> {
  const { contract, caller } = context;
  const path = contract.reports?.path;
  if (path === undefined) {
    tally.notApplicable("the site takes no reports of browsers");
    return [];
  }
  const deeds: Deed[] = [];
  for (const write of [asReportTo, asReportUri]) {
    const mark = context.mark();
    const { type, body } = write(`${contract.origin}/${mark}/`);
    const client = caller.freshClient();
    const done = await timed(context, () =>
      caller.send({
        method: "POST",
        path,
        headers: [["content-type", type]],
        body: JSON.stringify(body),
        ...(client === undefined ? {} : { client }),
      }),
    );
    deeds.push({
      ...done,
      about: `a browser's report as ${type}`,
      isOf: (record) => record["page"] === `/${mark}/`,
      says: {
        event: "browser.policy.violated",
        source: "edge",
        severity: "warning",
        directive: "img-src",
        blocked: "https://blocked.example",
        file: `/${mark}/`,
        line: 7,
      },
    });
  }
  return deeds;
}

/** A report, and the media type that it is sent as. */
interface Report {
  readonly type: string;
  readonly body: unknown;
}

const asReportTo = (page: string): Report => ({
  type: "application/reports+json",
  body: [
    {
      type: "csp-violation",
      age: 1,
      url: page,
      user_agent: "audit",
      body: {
        documentURL: page,
        effectiveDirective: "img-src",
        blockedURL: "https://blocked.example/picture.png",
        disposition: "enforce",
        sourceFile: page,
        lineNumber: 7,
      },
    },
  ],
});

const asReportUri = (page: string): Report => ({
  type: "application/csp-report",
  body: {
    "csp-report": {
      "document-uri": page,
      "violated-directive": "img-src 'self'",
      "blocked-uri": "https://blocked.example/picture.png",
      "source-file": page,
      "line-number": 7,
    },
  },
});

/** A request that is none, refused before anybody looks at what it asks for, over each protocol. */
async function malformed(context: AuditContext, tally: Tally): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const protocol of context.protocols) {
    const client = context.caller.freshClient();
    if (client === undefined) {
      tally.miss("there is no other address of this machine that a refused connection could be told by");
      continue;
    }
    const done = await timed(context, () =>
      context.caller.send({ method: "GET", path: "/%zz", client, protocol }),
    );
    const { status } = done.exchange.response;
    if (status !== 400)
      tally.miss(`a path that is none (/%zz) was answered ${status}, so that nothing was refused`);
    else
      deeds.push({
        ...done,
        about: `a malformed request refused (${protocol})`,
        isOf: (record) => record["client"] === client,
        says: { event: "edge.request.refused", source: "edge", severity: "notice", status },
      });
  }
  return deeds;
}
