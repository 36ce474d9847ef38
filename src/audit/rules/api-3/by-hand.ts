import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { isSuccess, pagePath, see, withoutPages } from "../shared.ts";

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

/** Whoever hangs up answers nothing. */
export const answerTo = (context: AuditContext, bytes: string): Promise<ProbeResponse | undefined> =>
  context.wire.sendRaw(bytes).catch(() => undefined);

/** Whether it is served as it should be: without that, that something else is refused shows nothing, and the tally says so. */
export async function isServed(context: AuditContext, tally: Tally, parts: ByHand): Promise<boolean> {
  const response = await answerTo(context, whole(parts));
  if (response === undefined) {
    tally.miss(`${parts.about}: the honest request, written by hand, got no answer`);
    return false;
  }
  const isHonest =
    isSuccess(response.status) ||
    (response.status === 404 && parts.about === "a page" && withoutPages(context) !== undefined);
  if (!isHonest)
    tally.miss(`${parts.about}: the honest request, written by hand, was answered ${response.status}`);
  else
    tally.pass(
      see(context, `${parts.about}: written as it should be, it is served`, {
        request: parts.request,
        response,
      }),
    );
  return isHonest;
}
