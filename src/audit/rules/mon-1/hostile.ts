import { paramNames } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { printable } from "../../evidence.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { LedgerProbe } from "../../probes/ledger-probe.ts";
import { noLedger, readEntry, whenLogged } from "../ledger-records.ts";
import type { LedgerEntry } from "../ledger-records.ts";
import { searchLog, unloggable } from "./canaries.ts";

/** What a log that writes down what it is sent would take for a record of its own, and a terminal for a command. */
const forgery = (mark: string): string =>
  `${mark}\r\n{"time":"2000-01-01T00:00:00.000Z","source":"${mark}","severity":"notice","event":"stack.stopped"}\r\n\u001b[2J\u009b31m\u2028\u202e`;

/** Marks that were sent: of values, with where they stood, which no record may hold; and of names, which one may, written as text. */
interface Sent {
  readonly values: Map<string, string>;
  readonly names: Set<string>;
}

export const logIsSafe: Check = {
  name: "no canary in the log, CRLF-safe",
  kind: "live",
  isActive: true,
  attack: { kind: "input", promise: "ledger", per: "site" },
  run: async (context, tally) => {
    const { ledger } = context;
    if (ledger === undefined) return tally.miss(noLedger);
    const sent: Sent = { values: new Map(), names: new Set() };
    await sendEverywhere(context, sent);
    const last = await lastOfAll(context, ledger, tally);
    if (last === undefined) return;
    await judgeLines(ledger, sent, tally);
    await searchLog(ledger, await unloggable(context, tally), last, tally);
  },
};

async function sendEverywhere(context: AuditContext, { values, names }: Sent): Promise<void> {
  const { contract, caller, target } = context;
  const asValue = (place: string): string => {
    const mark = context.mark();
    values.set(mark, place);
    return mark;
  };
  const asName = (): string => {
    const mark = context.mark();
    names.add(mark);
    return mark;
  };
  const get = (path: string, more: readonly (readonly [string, string])[] = []): Promise<unknown> =>
    caller.send({ method: "GET", path, headers: more });

  for (const root of ["", ...contract.apiRoots]) {
    const path = [root, encodeURIComponent(forgery(asName()))].filter((part) => part !== "").join("/");
    await get(`/${path}?${encodeURIComponent(asName())}=${encodeURIComponent(forgery(asValue("a query")))}`, [
      ["user-agent", asValue("User-Agent")],
      ["referer", `https://${asValue("Referer")}.example/`],
      ["cookie", `session=${asValue("a cookie")}`],
      ["x-forwarded-for", asValue("X-Forwarded-For")],
      ["x-request-id", asValue("X-Request-Id")],
    ]);
    // What HTTP does not allow in a header either: a bare CR, a bare LF, an escape.
    for (const [name, between] of [
      ["a bare CR", "\r"],
      ["a bare LF", "\n"],
      ["an escape", "\u001b[2J"],
    ] as const) {
      const head = `GET /${root} HTTP/1.1\r\nhost: ${target.host}\r\nuser-agent: x${between}${asValue(`User-Agent with ${name}`)}\r\nconnection: close\r\n\r\n`;
      // That the server hangs up is an answer too.
      await context.wire.sendRaw(head).catch(() => undefined);
    }
    await caller.send({ method: asName().slice(0, 18).toUpperCase(), path: `/${root}`, protocol: "h2" });
  }
  for (const route of contract.routes) await sendToRoute(context, route, asValue, asName);
  await sendReport(context, asValue, asName);
}

async function sendToRoute(
  context: AuditContext,
  route: ContractRoute,
  asValue: (place: string) => string,
  asName: () => string,
): Promise<void> {
  const { caller, contract } = context;
  const params = (): Record<string, string> =>
    Object.fromEntries(
      paramNames(route.segments).map((name) => [
        name,
        encodeURIComponent(forgery(asValue(`${route.key}: ${name}`))),
      ]),
    );
  const token = asValue(`${route.key}: a token`);
  await caller.call({
    route,
    input: {},
    signature: {},
    rawParams: params(),
    token: { name: "no token at all", value: `${token}.${token}.${token}` },
    headers: ["user-agent", "x-forwarded-for", "x-real-ip"].map((name) => [
      name,
      asValue(`${route.key}: ${name}`),
    ]),
  });
  if (contract.apiKeys !== undefined)
    await caller.call({
      route,
      input: {},
      signature: {},
      rawParams: params(),
      apiKey: { name: "no key at all", value: asValue(`${route.key}: an API key`) },
    });
  // Without its plan's say the route's body is not reached: its token, or its signature, is asked for before.
  const [honest = { as: undefined, input: {} }] = honestCalls(context, route);
  await caller.call({
    route,
    ...honest,
    rawQuery: `${encodeURIComponent(forgery(asName()))}=${encodeURIComponent(forgery(asValue(`${route.key}: a query`)))}`,
  });
  if (route.body === undefined) return;
  const [name, value] = [forgery(asName()), forgery(asValue(`${route.key}: a body`))];
  const rawBody =
    route.bodyType === "form"
      ? `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
      : JSON.stringify({ [name]: value });
  await caller.call({ route, ...honest, rawBody });
}

/** A browser's report may hold what its sender likes, and some of it is logged. */
async function sendReport(
  { contract, caller }: AuditContext,
  asValue: (place: string) => string,
  asName: () => string,
): Promise<void> {
  if (contract.reports === undefined) return;
  const { path } = contract.reports;
  const page = `${contract.origin}/${asName()}/?token=${asValue("a report's query")}#${asValue("a report's fragment")}`;
  const client = caller.freshClient();
  for (const directive of ["img-src", forgery(asName())])
    await caller.send({
      method: "POST",
      path,
      headers: [["content-type", "application/csp-report"]],
      body: JSON.stringify({
        "csp-report": {
          "document-uri": page,
          "violated-directive": directive,
          "blocked-uri": `https://blocked.example/${asValue("a report's blocked address")}`,
          "source-file": `${contract.origin}/${encodeURIComponent(forgery(asName()))}`,
          "script-sample": forgery(asName()),
          disposition: forgery(asValue("a report's disposition")),
        },
      }),
      ...(client === undefined ? {} : { client }),
    });
}

/** One thing more, which is told by the client's address: once the log has it, it has what came before. Undefined: it never came. */
async function lastOfAll(
  context: AuditContext,
  ledger: LedgerProbe,
  tally: Tally,
): Promise<string | undefined> {
  const client = context.caller.freshClient();
  if (client === undefined) {
    tally.miss("there is no address of our own here that the last request could be told by");
    return undefined;
  }
  await context.caller.send({ method: "GET", path: "/%zz", client });
  const found = await whenLogged(context, ledger, [client], (record, one) => record["client"] === one);
  if (!found.has(client)) {
    tally.miss("the log did not get the last of what was sent, so nothing follows from what it lacks");
    return undefined;
  }
  // Threads of one domain share its pipe, and may be a moment behind one another.
  await context.sleep(500);
  return client;
}

/** What acts on a terminal or an editor, or ends a line there: a record has it as an escape. */
// oxlint-disable-next-line no-control-regex -- they are what must not be there
const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

async function judgeLines(ledger: LedgerProbe, { values, names }: Sent, tally: Tally): Promise<void> {
  const [decoder, strict] = [new TextDecoder(), new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })];
  let [lines, named] = [0, 0];
  let isWhole = true;
  const fail = (about: string, line: string): void => {
    isWhole = false;
    tally.fail({ kind: "measurement", about, value: printable(line, 300) });
  };
  for await (const bytes of ledger.written()) {
    const line = decoder.decode(bytes);
    lines++;
    const record = isText(strict, bytes) ? readEntry(line) : undefined;
    if (record === undefined || !isRecord(record)) fail("a line of the log is no record", line);
    else if (acting.test(line)) fail("a record holds what acts on a terminal, as it was sent", line);
    else if (isForged(record, { values, names }))
      fail("a record says what somebody sent, as if the stack said it", line);
    for (const [mark, place] of values)
      if (line.includes(mark)) fail(`the log holds what was sent in ${place}`, line);
    if ([...names].some((mark) => line.includes(mark))) named++;
  }
  if (!isWhole) return;
  tally.pass({
    kind: "measurement",
    about: `lines of the log since this began, each a record and nothing else; ${named} of them name what was sent with ends of lines and escapes in it`,
    value: lines,
    unit: "lines",
  });
  tally.pass({
    kind: "measurement",
    about: `values sent in headers, cookies, tokens, paths, queries, bodies and reports (${values.size}) that the log holds`,
    value: 0,
  });
}

function isText(strict: TextDecoder, bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const isRecord = (record: LedgerEntry): boolean =>
  ["time", "source", "severity", "event"].every((name) => typeof record[name] === "string");

const isForged = ({ source, time }: LedgerEntry, { values, names }: Sent): boolean =>
  values.has(String(source)) || names.has(String(source)) || String(time).startsWith("2000-01-01");
