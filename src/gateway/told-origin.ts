import type { ContractRoute, ContractUpstream } from "../contract/index.ts";
import type { GatewayRequest } from "./types.ts";

/** Headers that tell an upstream where a request comes from: name, value, name, value … */
export type TellOrigin = (request: GatewayRequest, id: string) => readonly string[];

/**
 * Compiles what an upstream is told of a request's origin, as far as the contract says that it is: who the client is, and which trace the
 * request belongs to. All of it is made here: what a client says of itself goes no further, but for the trace where that is declared.
 * An upstream whose answers are kept is told nothing of the client, who is not the only one that gets them.
 *
 * @returns undefined: it is told nothing
 * @see RFC 7239, W3C Trace Context
 */
export function compileTellOrigin(
  { cache }: Pick<ContractRoute, "cache">,
  upstream: Pick<ContractUpstream, "forwardClient" | "trace"> | undefined,
  origin: string,
): TellOrigin | undefined {
  const isAlone = cache === undefined;
  const tellClient = isAlone ? clientTeller(upstream?.forwardClient, origin) : undefined;
  const trace = upstream?.trace;
  if (trace === undefined) return tellClient;
  const tellTrace: TellOrigin =
    trace === "continue" && isAlone
      ? (request, id) => continued(request) ?? ["traceparent", newTrace(id)]
      : (_request, id) => ["traceparent", newTrace(id)];
  if (tellClient === undefined) return tellTrace;
  return (request, id) => [...tellClient(request, id), ...tellTrace(request, id)];
}

function clientTeller(form: ContractUpstream["forwardClient"], origin: string): TellOrigin | undefined {
  const { host } = new URL(origin);
  if (form === "x-forwarded-for")
    return ({ remoteAddress }) => [
      "x-forwarded-for",
      remoteAddress,
      "x-forwarded-proto",
      "https",
      "x-forwarded-host",
      host,
    ];
  if (form === "forwarded")
    return ({ remoteAddress }) => {
      const address = remoteAddress.includes(":") ? `"[${remoteAddress}]"` : remoteAddress;
      return ["forwarded", `for=${address};host="${host}";proto=https`];
    };
  return undefined;
}

/** A UUID, with or without its dashes. */
const sixteenBytes = /^[\da-f]{8}(?:-?[\da-f]{4}){3}-?[\da-f]{12}$/;
const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/** A trace of its own. Its id is the request's, so that a trace is found from the log, and the log from a trace. */
function newTrace(id: string): string {
  const traceId = sixteenBytes.test(id) ? id.replaceAll("-", "") : randomHex(16);
  return `00-${traceId}-${randomHex(8)}-01`;
}

function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text === "0".repeat(length * 2) ? randomHex(length) : text;
}

/** Of version 00, which is the only one; of its flags only the one that says whether it is recorded. */
const traceparent = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f])([\da-f])$/;
const maxStateLength = 512;
const maxStateMembers = 32;
const stateMember = /^[a-z\d][a-z\d_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** The client's own trace with a new step in it, if it names one to the letter. */
function continued(request: GatewayRequest): readonly string[] | undefined {
  const [, traceId, spanId, , flags = "0"] = traceparent.exec(request.header("traceparent") ?? "") ?? [];
  if (traceId === undefined || traceId === noTrace || spanId === noSpan) return undefined;
  const isRecorded = Number.parseInt(flags, 16) % 2 === 1;
  const header = `00-${traceId}-${randomHex(8)}-${isRecorded ? "01" : "00"}`;
  const state = request.header("tracestate");
  return state !== undefined && isState(state)
    ? ["traceparent", header, "tracestate", state]
    : ["traceparent", header];
}

function isState(state: string): boolean {
  if (state.length > maxStateLength) return false;
  const members = state.split(",").map((member) => member.trim());
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  return (
    members.length <= maxStateMembers &&
    keys.size === members.length &&
    members.every((member) => stateMember.test(member))
  );
}
