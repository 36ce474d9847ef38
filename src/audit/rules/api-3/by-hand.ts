import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { retryAfterMs } from "../../requests/patient-wire.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { isSuccess, pagePath, see, withoutPages } from "../shared.ts";
import { answerOf } from "../unserved.ts";

/** Headers as they are to stand there, one below the other. */
export type Lines = readonly (readonly [name: string, value: string])[];

/** An honest request in its parts, to be written down by hand: wrongly, say. */
export interface ByHand {
  readonly about: string;
  readonly request: ProbeRequest;
  readonly lines: Lines;
  readonly body: string;
}

/** How a line ends. */
export const end = "\r\n";
/** Writes a request down. */
export const write = (first: string, lines: Lines, body = ""): string =>
  `${first}${end}${lines.map(([name, value]) => `${name}: ${value}${end}`).join("")}${end}${body}`;
/** The line that it begins with. */
export const firstLine = ({ request: { method, path } }: ByHand, target = path): string =>
  `${method} ${target} HTTP/1.1`;
/** As it should be. */
const whole = (parts: ByHand): string => write(firstLine(parts), parts.lines, parts.body);

/** A reading that is served: by a token if one is needed for something, else a page, else whatever may be read. */
export async function readByHand(context: AuditContext): Promise<ByHand> {
  const reads = context.contract.routes.filter(
    ({ method, stream }) => method === "GET" && stream === undefined,
  );
  const hasPages = withoutPages(context) === undefined;
  for (const route of reads.filter(({ access }) => access.kind !== "everyone" || !hasPages)) {
    const parts = await callByHand(context, route);
    if (parts !== undefined) return parts;
  }
  const request: ProbeRequest = { method: "GET", path: encodeURI(pagePath(context)) };
  return {
    about: "a page",
    request,
    lines: [
      ["host", context.target.host],
      ["connection", "close"],
    ],
    body: "",
  };
}

/** How many bytes a body has. */
export const sizeOf = (body: string): string => String(Buffer.byteLength(body));

/** An honest call of a route. Undefined: the plan has none. */
export async function callByHand(context: AuditContext, route: ContractRoute): Promise<ByHand | undefined> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return undefined;
  const request = await context.caller.request({ route, ...honest });
  const body = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
  const lines: Lines = [
    ["host", context.target.host],
    ...(request.headers ?? []),
    ["connection", "close"],
    ...(request.body === undefined ? [] : ([["content-length", sizeOf(body)]] as const)),
  ];
  return { about: route.key, request, lines, body: request.body === undefined ? "" : body };
}

/** An honest request waits for its turn as callers do; whoever is refused anyway not for long. */
const [mostPatienceMs, somePatienceMs] = [60_000, 5000];
const mostTries = 4;

/** Whoever hangs up answers nothing. A limit that was used up before (429) is no verdict on anything else, so it is waited out. */
export async function answerTo(
  context: AuditContext,
  bytes: string,
  patienceMs: number = somePatienceMs,
): Promise<ProbeResponse | undefined> {
  for (let tries = 1; ; tries++) {
    const response = await context.wire.sendRaw(bytes).catch(() => undefined);
    if (response?.status !== 429 || tries === mostTries) return response;
    const waitMs = retryAfterMs(response);
    if (waitMs > patienceMs) return response;
    await context.sleep(waitMs);
  }
}

/** Whether it is served as it should be: without that, that something else is refused shows nothing, and the tally says so. */
export async function isServed(context: AuditContext, tally: Tally, parts: ByHand): Promise<boolean> {
  return (await whyUnserved(context, tally, parts)) === undefined;
}

/** Says, and tells the tally, why it is not served as it should be. Undefined: it is. */
export async function whyUnserved(
  context: AuditContext,
  tally: Tally,
  parts: ByHand,
): Promise<string | undefined> {
  const response = await answerTo(context, whole(parts), mostPatienceMs);
  const reason = response === undefined ? "got no answer" : unservedAs(context, parts, response);
  if (reason !== undefined) {
    const said = `${parts.about}: the honest request, written by hand, ${reason}`;
    tally.miss(said);
    return said;
  }
  if (response !== undefined)
    tally.pass(
      see(context, `${parts.about}: written as it should be, it is served`, {
        request: parts.request,
        response,
      }),
    );
  return undefined;
}

function unservedAs(
  context: AuditContext,
  { about, request }: ByHand,
  response: ProbeResponse,
): string | undefined {
  const { status } = response;
  const isPage = about === "a page" && withoutPages(context) !== undefined;
  if (isSuccess(status) || (status === 404 && isPage)) return undefined;
  return status === 429
    ? "was answered 429 again and again: a limit is used up, so nothing is known of it"
    : `was answered ${answerOf(context, { request, response })}`;
}
