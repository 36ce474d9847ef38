import { inertPolicy, securityHeaders } from "../../contract/index.ts";
import type { EventSink } from "../../contract/index.ts";
import { problems } from "../answers/answers.ts";
import type { ProblemCode } from "../answers/answers.ts";
import { refuseUnread } from "../input/unread-body.ts";
import { addressGroup } from "../../shared/index.ts";
import type { GatewayRequest, LimitRate, LimitStore, Respond } from "../types.ts";
import { readReports, reportFormatOf } from "./read-reports.ts";
import { createTally } from "./tally.ts";

/** Options of {@link createReportEndpoint}. */
export interface ReportEndpointOptions {
  /** Its path, like `/_reports`. */
  readonly path: string;
  /** The site's origin: reports about pages of others are dropped. */
  readonly origin: string;
  readonly limits: LimitStore;
  readonly events: EventSink;
  /** Time in which a violation is written once, and its repeats are counted, in milliseconds. Default 60 000. */
  readonly windowMs?: number;
  /** Bits of an IPv6 address that name one client, 16 to 128. Default 64. */
  readonly ipv6Prefix?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Takes browsers' reports; made by {@link createReportEndpoint}. */
export interface ReportEndpoint {
  matches(path: string): boolean;
  /** Answers a request: calls `respond` once. Never throws. */
  handle(request: GatewayRequest, respond: Respond): void;
  /** Writes what was counted and not yet told. To be called every `windowMs` or so, and at the end. */
  flush(): void;
}

const maxBodyBytes = 65_536;
/** The gateway's own limits are numbered from 1. */
const rate: LimitRate = { id: 0, burst: 60, intervalMs: 1000 };

const headers: readonly string[] = ["cache-control", "no-store", ...securityHeaders(inertPolicy).flat()];

/**
 * Takes the policy violations that browsers report and writes them into the log. Anybody can send one, so that each is read as hostile:
 * bounded, cleaned, counted instead of repeated. No report is ever answered with more than a status.
 *
 * @see Content Security Policy Level 3 §5.3 and §5.5; Reporting API §3
 */
export function createReportEndpoint(options: ReportEndpointOptions): ReportEndpoint {
  const { path, origin, limits, events, windowMs = 60_000, ipv6Prefix = 64, now = Date.now } = options;
  const tally = createTally({ events, windowMs });

  function refuse(
    request: GatewayRequest,
    code: ProblemCode,
    respond: Respond,
    extra: readonly string[] = [],
  ) {
    const { status } = problems[code];
    events({
      type: "gateway.request.refused",
      time: now(),
      route: `POST ${path}`,
      method: request.method.slice(0, 20),
      client: request.remoteAddress,
      code,
      status,
    });
    respond({ status, headers: [...headers, ...extra], body: undefined });
  }

  /** Reports of pages of ours come from our own origin; a sandboxed page has none, which browsers write as `null`. */
  const isForeign = (request: GatewayRequest): boolean => {
    const from = request.header("origin");
    return (
      (from !== undefined && from !== "null" && from !== origin) ||
      request.header("sec-fetch-site") === "cross-site"
    );
  };

  return {
    matches: (asked) => asked === path,
    flush: () => tally.flush(now()),
    handle(request, respond) {
      if (request.method !== "POST")
        return refuse(request, "GATEWAY_METHOD_REFUSED", respond, ["allow", "POST"]);
      if (isForeign(request)) return refuse(request, "GATEWAY_ORIGIN_REFUSED", respond);
      const client = addressGroup(request.remoteAddress, ipv6Prefix);
      const left = limits.take(rate, client, now());
      if (left < 0)
        return refuse(request, "GATEWAY_LIMIT_REACHED", respond, [
          "retry-after",
          String(Math.ceil(-left / 1000)),
        ]);
      const format = reportFormatOf(request.header("content-type"));
      const encoding = request.header("content-encoding");
      if (format === undefined || (encoding !== undefined && encoding !== "identity"))
        return refuse(request, "GATEWAY_MEDIA_TYPE_REFUSED", respond);
      request.readBody(maxBodyBytes, (error, bytes) => {
        if (error !== undefined) return refuse(request, refuseUnread(error).code, respond);
        const read = readReports(format, bytes, origin);
        if (read === undefined) return refuse(request, "GATEWAY_INPUT_INVALID", respond);
        const time = now();
        for (const violation of read.violations) tally.add(violation, client, time);
        for (const [reason, count] of read.dropped) tally.drop(reason, count, time);
        respond({ status: 204, headers, body: undefined });
      });
    },
  };
}
