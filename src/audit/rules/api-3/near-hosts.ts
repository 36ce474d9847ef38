import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { isClientError, pagePath, see } from "../shared.ts";
import { answerTo, firstLine, isServed, readByHand, write } from "./by-hand.ts";
import type { ByHand, Lines } from "./by-hand.ts";

/** A host that is nearly the site's, and what is wrong with it. */
type NearHost = readonly [what: string, host: string];

/**
 * What takes another host for its own makes addresses with it, keeps answers for it, and lets in who has a name that ends or begins alike: a page of
 * theirs is same-site, or its DNS leads here. The same host in upper case is the same host, so it is none of these.
 *
 * @see RFC 9110 §4.2.3, §7.4; RFC 9113 §8.3.1
 */
export const nearHosts: Check = {
  name: "a host that is nearly the site's is refused",
  kind: "live",
  attack: { kind: "input", promise: "origin", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const parts = await readByHand(context);
    if (!(await isServed(context, tally, parts))) return;
    for (const place of places(context, tally, parts)) {
      let taken = 0;
      for (const [what, host] of nearly(context.target))
        if (taken < enoughTaken && (await place({ what, host })) === "taken") taken++;
    }
  },
};

/** Who takes two may take any: the rest would spend limits that other checks need. */
const enoughTaken = 2;

type Verdict = "taken" | "refused" | "unknown";

/** Where a request says for whom it is. */
function places(context: AuditContext, tally: Tally, parts: ByHand): ((near: Attempt) => Promise<Verdict>)[] {
  return [
    (near) => refuseByHand(context, tally, parts, near),
    (near) => refuseByHand(context, tally, parts, { ...near, isWhole: true }),
    ...(context.protocols.includes("h2")
      ? [(near: Attempt) => refuseOverHttp2(context, tally, parts, near)]
      : []),
  ];
}

/** Another site's end, and its beginning: names that nobody has (RFC 6761 §6.4). */
const other = "audit.invalid";

function nearly({ hostname, host, port, protocol }: URL): NearHost[] {
  const rest = port === "" ? "" : `:${port}`;
  const usual = protocol === "https:" ? 443 : 80;
  const isName = /[a-z]/i.test(hostname) && !hostname.startsWith("[");
  const withoutDot = hostname.replace(/(?<=[a-z\d-])\.(?=[a-z\d-])/i, "x");
  const names: NearHost[] = [
    ["that ends with the site's", `audit${host}`],
    ["below the site's", `audit.${host}`],
    ["that begins with the site's", `${hostname}.${other}${rest}`],
    ["that has the site's and its port before another", `${host}.${other}`],
    ["with a letter in a dot's place", `${withoutDot}${rest}`],
    ["with a dot behind it", `${hostname}.${rest}`],
  ];
  return [
    ...(isName ? names.filter(([, name]) => name !== host) : []),
    [
      "with another port",
      `${hostname}:${port === "" ? usual + 1 : Number(port) === 65535 ? 1 : Number(port) + 1}`,
    ],
    ["behind somebody's name", `${other}@${host}`],
    ["as somebody's name before another", `${host}@${other}`],
    ["with another behind a comma", `${host}, ${other}`],
  ];
}

interface Attempt {
  readonly what: string;
  readonly host: string;
  /** In a whole address in the first line, where it decides, and the Host line is right. @see RFC 9112 §3.2.2 */
  readonly isWhole?: boolean;
}

async function refuseByHand(
  context: AuditContext,
  tally: Tally,
  parts: ByHand,
  { what, host, isWhole = false }: Attempt,
): Promise<Verdict> {
  const { path } = parts.request;
  const first = isWhole ? firstLine(parts, `${context.target.protocol}//${host}${path}`) : firstLine(parts);
  // Who counts what it should refuse is not waited for.
  const lines = isWhole ? parts.lines : withHost(parts.lines, host);
  const response = await answerTo(context, write(first, lines), 0);
  const place = isWhole ? "in the whole address of its first line" : "in Host";
  const about = aboutOf(parts, what, host, place);
  const verdict = judge(context, tally, { about, parts, host, isWhole, response });
  // Who hangs up on all may be gone.
  if (response === undefined) await context.wire.send({ method: "GET", path: encodeURI(pagePath(context)) });
  return verdict;
}

async function refuseOverHttp2(
  context: AuditContext,
  tally: Tally,
  parts: ByHand,
  { what, host }: Attempt,
): Promise<Verdict> {
  const { request } = parts;
  const headers: Lines = [[":authority", host], ...(request.headers ?? [])];
  const response = await context.wire
    .send({ ...request, headers, protocol: "h2" })
    // A stream that is ended is a refusal. Who refuses so is asked honestly below, or is gone for all checks.
    .catch(() => undefined);
  const about = aboutOf(parts, what, host, "in :authority");
  const verdict = judge(context, tally, { about, parts, host, isWhole: false, response });
  if (response === undefined) await context.caller.send({ ...request, protocol: "h2" });
  return verdict;
}

const withHost = (lines: Lines, host: string): Lines =>
  lines.map(([name, value]) => [name, name === "host" ? host : value]);

const aboutOf = ({ about }: ByHand, what: string, host: string, place: string): string =>
  `${about}: a host ${what} (${host}) ${place} must be refused (4xx)`;

interface Answered extends Omit<Attempt, "what"> {
  readonly about: string;
  readonly parts: ByHand;
  readonly isWhole: boolean;
  readonly response: ProbeResponse | undefined;
}

function judge(
  context: AuditContext,
  tally: Tally,
  { about, parts, host, isWhole, response }: Answered,
): Verdict {
  if (response === undefined) {
    tally.pass({ kind: "measurement", about, value: "the target ends it without an answer" });
    return "refused";
  }
  if (response.status === 429) {
    tally.miss(`${about}: it was answered 429, for its number`);
    return "unknown";
  }
  // curl says it as Host, and over HTTP/2 as :authority. A whole address it can't be told to say.
  const request: ProbeRequest = {
    ...parts.request,
    headers: [...(isWhole ? [] : [["host", host] as const]), ...(parts.request.headers ?? [])],
  };
  const { reproduce, ...seen } = see(context, about, { request, response });
  const isRefused = isClientError(response.status);
  tally.expect(isRefused, isWhole || reproduce === undefined ? seen : { ...seen, reproduce });
  return isRefused ? "refused" : "taken";
}
