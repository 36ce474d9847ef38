import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { Protocol } from "../../probes/probe.ts";
import { slownessOf } from "../promptness.ts";
import { isSuccess, pagePath, see, withoutPages } from "../shared.ts";

const encoder = new TextEncoder();

/** An HTTP/2 connection's first bytes: preface and empty SETTINGS, then what is given. @see RFC 9113 §3.4 */
function http2Head(...frames: readonly Uint8Array[]): Uint8Array {
  const preface = encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const parts = [preface, Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0), ...frames];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

async function slow(
  context: AuditContext,
  tally: Tally,
  about: string,
  protocol: Protocol,
  head: Uint8Array,
  drip: Uint8Array,
): Promise<void> {
  const client = context.caller.freshClient();
  const result = await context.wire.trickle({
    protocol,
    head,
    drip,
    maxMs: context.maxSlowMs,
    ...(client === undefined ? {} : { client }),
  });
  // Whoever answers nobody else in time either was too slow to look at the clock.
  const other = result.ended ? undefined : await slownessOf(context);
  if (other !== undefined)
    return tally.miss(
      `${about}, one byte a second over ${protocol}: still open after ${context.maxSlowMs / 1000} s, but ${other}`,
    );
  tally.expect(result.ended, {
    kind: "measurement",
    about: `${about}, one byte a second over ${protocol}: ${result.ended ? "the server ended it" : "nobody ended it"}`,
    ...(result.ended
      ? { value: Math.round(result.afterMs / 100) / 10, unit: "s" }
      : { value: `still open after ${context.maxSlowMs / 1000} s` }),
  });
}

export const slowHeaders: Check = {
  name: "slow headers",
  kind: "live",
  attack: { kind: "limits", promise: "edge", per: "site" },
  // It limits connections. The row is about how often something may be called.
  isSupporting: true,
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const http1 = encoder.encode(
      `GET ${pagePath(context)} HTTP/1.1\r\nhost: ${context.target.host}\r\nx-slow: `,
    );
    // HEADERS without END_HEADERS says 200 bytes will come. @see RFC 9113 §6.2
    const http2 = http2Head(Uint8Array.of(0, 0, 200, 1, 0, 0, 0, 0, 1, 0x82));
    const honest = context.wire.send({ method: "GET", path: pagePath(context) });
    await Promise.all([
      slow(context, tally, "headers", "http/1.1", http1, encoder.encode("a")),
      context.protocols.includes("h2") && slow(context, tally, "headers", "h2", http2, Uint8Array.of(0x40)),
      honest.then((response) =>
        response.status < 500
          ? tally.pass(
              see(context, "meanwhile others are served", {
                request: { method: "GET", path: pagePath(context) },
                response,
              }),
            )
          : tally.miss(`meanwhile another was answered ${response.status}`),
      ),
    ]);
  },
};

export const slowBody: Check = {
  name: "slow body",
  kind: "live",
  attack: { kind: "limits", promise: "edge", per: "site" },
  isSupporting: true,
  notApplicable: ({ contract }) =>
    contract.routes.some(({ body }) => body !== undefined) ? undefined : "no route takes a body",
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const route =
      context.contract.routes.find(
        (candidate) => candidate.body !== undefined && candidate.access.kind === "everyone",
      ) ?? context.contract.routes.find((candidate) => candidate.body !== undefined);
    if (route === undefined) return;
    const [honest] = honestCalls(context, route);
    if (honest === undefined) return tally.miss(lacking(context, route));
    const { path, headers = [] } = await context.caller.request({ route, ...honest });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const http1 = encoder.encode(
      `${route.method} ${path} HTTP/1.1\r\nhost: ${context.target.host}\r\n${lines}content-length: 1000\r\n\r\n{`,
    );
    await slow(context, tally, `${route.key}: body`, "http/1.1", http1, encoder.encode(" "));
  },
};

/** What a request of three seconds may take on a machine that is not too busy to judge it, in milliseconds. */
const slowArrivalMs = 5000;

export const pausing: Check = {
  name: "an honest client that pauses is served",
  kind: "live",
  attack: { kind: "limits", promise: "edge", per: "site", isControl: true },
  isSupporting: true,
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const text = `GET ${pagePath(context)} HTTP/1.1\r\nhost: ${context.target.host}\r\nconnection: close\r\n\r\n`;
    const bytes = encoder.encode(text);
    // All but the last three bytes at once, those one a second: a poor connection, not an attack.
    const result = await context.wire.trickle({
      protocol: "http/1.1",
      head: bytes.subarray(0, -3),
      drip: bytes.subarray(-3),
      maxMs: 10_000,
    });
    const line = new TextDecoder().decode(result.received).split("\r\n")[0] ?? "";
    const status = Number(line.split(" ")[1]);
    if (line === "" && (!result.ended || result.afterMs > slowArrivalMs))
      return tally.miss(
        `a request that takes three seconds to arrive had no answer after ${(result.afterMs / 1000).toFixed(1)} s: here or there a machine was too slow`,
      );
    if (result.afterMs > slowArrivalMs && !isSuccess(status))
      return tally.miss(
        `a request that takes three seconds to arrive was answered ${status} after ${(result.afterMs / 1000).toFixed(1)} s: here or there a machine was too slow`,
      );
    // Where there is no page, "nothing is here" is what who does not pause gets too.
    tally.expect(isSuccess(status) || (status === 404 && withoutPages(context) !== undefined), {
      kind: "measurement",
      about: "a request that took three seconds to arrive",
      value: line,
    });
  },
};
