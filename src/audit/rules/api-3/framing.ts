import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { isClientError, isSuccess, pagePath, see, withoutPages } from "../shared.ts";

type Lines = readonly (readonly [name: string, value: string])[];

/** An honest request in its parts, to be written down wrongly. */
interface Parts {
  readonly about: string;
  readonly request: ProbeRequest;
  readonly lines: Lines;
  readonly body: string;
}

interface Wrong {
  readonly how: string;
  readonly bytes: string;
}

const end = "\r\n";
const write = (first: string, lines: Lines, body = ""): string =>
  `${first}${end}${lines.map(([name, value]) => `${name}: ${value}${end}`).join("")}${end}${body}`;
const firstLine = ({ request: { method, path } }: Parts, target = path): string =>
  `${method} ${target} HTTP/1.1`;
const whole = (parts: Parts): string => write(firstLine(parts), parts.lines, parts.body);
const chunked = (body: string, size = Buffer.byteLength(body).toString(16)): string =>
  `${size}${end}${body}${end}0${end}${end}`;
const length = (body: string): string => String(Buffer.byteLength(body));

/** What names twice whom it is for, or who sends it. Which of the two was meant nobody can tell. @see RFC 9112 §3.2 */
export const soleLines: Check = {
  name: "what says twice for whom it is, or from whom, is refused",
  kind: "live",
  attack: { kind: "input", promise: "edge", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const parts = await readOf(context);
    const { host } = context.target;
    const others = parts.lines.filter(([name]) => name !== "host");
    const token = parts.lines.find(([name]) => name === "authorization");
    const wrongs: Wrong[] = [
      { how: "two Host lines", bytes: write(firstLine(parts), [["host", host], ...parts.lines]) },
      {
        how: "a second Host line for another",
        bytes: write(firstLine(parts), [...parts.lines, ["host", "audit.invalid"]]),
      },
      { how: "no Host line", bytes: write(firstLine(parts), others) },
      {
        how: "a whole address of another host in its first line",
        bytes: write(firstLine(parts, `https://audit.invalid${parts.request.path}`), parts.lines),
      },
      ...(token === undefined
        ? []
        : [{ how: "two Authorization lines", bytes: write(firstLine(parts), [...parts.lines, token]) }]),
    ];
    await refuseAll(context, tally, parts, wrongs);
  },
};

/** What ends in two places, to two readers: the second of them takes the rest for a request of its own. @see RFC 9112 §6.3, §11.2 */
export const framing: Check = {
  name: "what ends in two places is refused",
  kind: "live",
  attack: { kind: "input", promise: "edge", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const read = await readOf(context);
    const [name = "host", value = ""] = read.lines[0] ?? [];
    const lines = (text: string): string => `${firstLine(read)}${end}${text}${end}`;
    const rest = read.lines.map(([key, said]) => `${key}: ${said}${end}`).join("");
    await refuseAll(context, tally, read, [
      { how: "a space before a colon", bytes: lines(`${rest}x-audit : 1${end}`) },
      { how: "a line that goes on in the next", bytes: lines(`${rest}x-audit: 1${end} 2${end}`) },
      { how: "a bare CR in a value", bytes: lines(`${rest}x-audit: 1\rx-other: 2${end}`) },
      { how: "a line without a name", bytes: lines(`${rest}: 1${end}`) },
      {
        how: "lines that end with LF alone",
        bytes: `${firstLine(read)}\n${name}: ${value}\n${rest.slice(`${name}: ${value}${end}`.length).replaceAll(end, "\n")}\n`,
      },
    ]);
    const written = await writeOf(context);
    if (written !== undefined) await refuseAll(context, tally, written, twoEnds(written));
  },
};

function twoEnds(parts: Parts): Wrong[] {
  const { body } = parts;
  const lines = parts.lines.filter(([name]) => name !== "content-length");
  const first = firstLine(parts);
  const coded = ["transfer-encoding", "chunked"] as const;
  const sized = ["content-length", length(body)] as const;
  return [
    { how: "a length and chunks", bytes: write(first, [...lines, sized, coded], chunked(body)) },
    {
      how: "chunks and a length",
      bytes: write(first, [...lines, coded, ["content-length", "0"]], chunked(body)),
    },
    {
      how: "two lengths",
      bytes: write(first, [...lines, sized, ["content-length", String(Buffer.byteLength(body) + 1)]], body),
    },
    {
      how: "a length with a sign",
      bytes: write(first, [...lines, ["content-length", `+${length(body)}`]], body),
    },
    {
      how: "an unknown coding",
      bytes: write(first, [...lines, ["transfer-encoding", "xchunked"]], chunked(body)),
    },
    {
      how: "chunks that are not the last coding",
      bytes: write(first, [...lines, ["transfer-encoding", "chunked, identity"]], chunked(body)),
    },
    {
      how: "a chunk's size in another way",
      bytes: write(first, [...lines, coded], chunked(body, `0x${Buffer.byteLength(body).toString(16)}`)),
    },
    {
      how: "a chunk's size that ends with LF alone",
      bytes: write(first, [...lines, coded], chunked(body).replace(end, "\n")),
    },
  ];
}

/** A reading that is served: by a token if one is needed for something, since what is sent twice may be that. */
async function readOf(context: AuditContext): Promise<Parts> {
  const route = context.contract.routes.find(
    ({ method, access, stream }) => method === "GET" && access.kind !== "everyone" && stream === undefined,
  );
  const parts = route === undefined ? undefined : await partsOf(context, route);
  if (parts !== undefined) return parts;
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

async function writeOf(context: AuditContext): Promise<Parts | undefined> {
  const routes = context.contract.routes.filter(
    ({ body, webhook, createsSession }) => body !== undefined && webhook === undefined && !createsSession,
  );
  for (const route of routes.toSorted((one, other) => rank(one) - rank(other))) {
    const parts = await partsOf(context, route);
    if (parts !== undefined && parts.body !== "") return parts;
  }
  return undefined;
}

const rank = ({ access, method }: ContractRoute): number =>
  (access.kind === "everyone" ? 0 : 1) + (method === "POST" ? 0 : 2);

async function partsOf(context: AuditContext, route: ContractRoute): Promise<Parts | undefined> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return undefined;
  const request = await context.caller.request({ route, ...honest });
  const body = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
  const lines: Lines = [
    ["host", context.target.host],
    ...(request.headers ?? []),
    ["connection", "close"],
    ...(request.body === undefined ? [] : ([["content-length", length(body)]] as const)),
  ];
  return { about: route.key, request, lines, body: request.body === undefined ? "" : body };
}

/** Sends what is wrong, and what is right before and after it: that only the latter is served says that it was the fault that was refused. */
async function refuseAll(
  context: AuditContext,
  tally: Tally,
  parts: Parts,
  wrongs: readonly Wrong[],
): Promise<void> {
  if (!(await isServed(context, tally, parts))) return;
  for (const { how, bytes } of wrongs) {
    const response = await answerTo(context, bytes);
    const about = `${parts.about}: ${how}`;
    if (response === undefined)
      tally.pass({ kind: "measurement", about: `${about}: the target`, value: "hangs up" });
    else if (response.status === 429) tally.miss(`${about}: it was answered 429, for its number`);
    else
      tally.expect(
        isClientError(response.status) || response.status === 501,
        see(context, about, { request: parts.request, response }),
      );
    // Who hangs up on all may be gone.
    if (response === undefined)
      await context.wire.send({ method: "GET", path: encodeURI(pagePath(context)) });
  }
}

const answerTo = (context: AuditContext, bytes: string): Promise<ProbeResponse | undefined> =>
  context.wire.sendRaw(bytes).catch(() => undefined);

async function isServed(context: AuditContext, tally: Tally, parts: Parts): Promise<boolean> {
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
