import type { Contract, ContractRoute } from "../../contract/index.ts";
import type { Call } from "./caller.ts";
import { bodyTextOf, bodyTypes, lowerCased, queryOf, writeCookies, writePairs } from "./input-values.ts";
import type { ProbeCredential, ProbeRequest } from "../probes/probe.ts";

/** The contract, as far as calls are made from it. */
export type CallContract = Pick<Contract, "origin" | "apiKeys">;

/** What an answer in parts is waited for, unless more is asked for: its first event, or that none comes. */
const firstEvent = { maxMs: 1000, maxEvents: 1 } as const;

/** Puts a call together as it is to appear on the wire. */
export function buildRequest(
  call: Call,
  credentials: readonly ProbeCredential[],
  { origin }: CallContract,
): ProbeRequest {
  const { route, input, rawBody, contentType } = call;
  const headers: [string, string][] = [["accept", call.accept ?? accepted(route)]];
  const body = rawBody ?? bodyTextOf(route, input);
  if (body !== undefined && contentType !== null)
    headers.push(["content-type", contentType ?? bodyTypes[route.bodyType]]);
  for (const [name, value] of call.rawHeaders ?? Object.entries(lowerCased(input.headers)))
    headers.push([name, value]);
  const cookie = call.rawCookie ?? writeCookies(input.cookies);
  if (cookie !== "") headers.push(["cookie", cookie]);
  for (const credential of credentials)
    headers.push([credential.header, `${credential.scheme}${credential.value}`]);
  if (vouchesForPage(call)) headers.push(["origin", origin], ["sec-fetch-site", "same-origin"]);
  for (const [name, value] of call.headers ?? []) headers.push([name, value]);
  const listen = call.listen ?? (route.stream?.kind === "events" ? firstEvent : undefined);
  return {
    method: call.method ?? route.method,
    path: pathOf(call),
    headers,
    ...(body === undefined ? {} : { body }),
    ...(call.protocol === undefined ? {} : { protocol: call.protocol }),
    ...(listen === undefined ? {} : { listen }),
    ...(credentials.length === 0 ? {} : { credentials }),
  };
}

function accepted({ stream }: ContractRoute): string {
  if (stream?.kind === "events") return "text/event-stream";
  return stream?.kind === "download" ? stream.types.join(", ") : "application/json";
}

const pageHeaders = new Set(["origin", "sec-fetch-site"]);

/** What a browser says of a page of the site that asks for a session: without it, nobody gets one. */
function vouchesForPage({ route, headers = [], isFromNoPage }: Call): boolean {
  return route.createsSession && isFromNoPage !== true && !headers.some(([name]) => pageHeaders.has(name));
}

function pathOf({ route, input, rawParams, rawQuery }: Call): string {
  const path = route.segments
    .map((segment) =>
      "text" in segment
        ? segment.text
        : (rawParams?.[segment.param] ?? encodeURIComponent(input.params?.[segment.param] ?? "")),
    )
    .join("/");
  const query = rawQuery ?? writePairs(queryOf(route, input));
  return `/${path}${query === "" ? "" : `?${query}`}`;
}
