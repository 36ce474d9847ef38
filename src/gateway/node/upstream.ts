import { hash } from "node:crypto";
import { Pool } from "undici";
import type { ContractUpstream } from "../../contract/index.ts";
import type { AssertionSigner } from "../assertion.ts";
import { assertionHeader } from "../assertion.ts";
import type { Destination, ForwardedAnswer, ForwardedRequest } from "../types.ts";
import { AnswerReader } from "./answer-reader.ts";

/** Options of {@link createUpstream}. */
export interface UpstreamPoolOptions {
  upstream: ContractUpstream;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  ca?: string | undefined;
  /** Proves to the upstream that a request passed the gateway, and for whom. */
  assertions: AssertionSigner;
  /** Connections kept. Default 64. */
  connections?: number;
  /** Requests under way at once, those that wait for a connection included; more are refused. Default 1 024. */
  maxRequests?: number;
}

/** Connections to one upstream. */
export interface UpstreamPool {
  readonly send: Destination;
  close(): Promise<void>;
}

const formType = "application/x-www-form-urlencoded";

/**
 * Sends checked requests to an upstream over a pool of connections. It gets the rebuilt target, the checked body written
 * anew and a signed assertion: none of the client's own headers. Its answer is read whole, within a time and a size.
 */
export function createUpstream({
  upstream,
  ca,
  assertions,
  connections = 64,
  maxRequests = 1024,
}: UpstreamPoolOptions): UpstreamPool {
  const makePool = (size: number): Pool =>
    new Pool(upstream.url.origin, {
      connections: size,
      pipelining: 1,
      connect: { minVersion: "TLSv1.3", timeout: upstream.timeoutMs, ...(ca === undefined ? {} : { ca }) },
      allowH2: false,
    });
  const pool = makePool(connections);
  /** What comes in parts holds its connection for as long as it lasts: other requests must not wait for that. */
  let streamPool: Pool | undefined;
  const prefix = upstream.url.pathname.replace(/\/$/, "");
  let underWay = 0;

  async function dispatch(request: ForwardedRequest, reader: AnswerReader): Promise<void> {
    const path = prefix + request.target;
    const { route } = request;
    const { method, stream } = route;
    const { caller, id } = request;
    const isForm = route.bodyType === "form";
    const body =
      request.body === undefined ? null : isForm ? (request.body as string) : JSON.stringify(request.body);
    const bodyDigest = body === null ? undefined : hash("sha256", body, "base64url");
    const assertion = await assertions.sign({ caller, method, path, bodyDigest, id });
    const headers = ["accept", acceptOf(route), "request-id", request.id, assertionHeader, assertion];
    if (body !== null) headers.push("content-type", isForm ? formType : "application/json");
    if (request.headers !== undefined) headers.push(...request.headers);
    if (stream === undefined) pool.dispatch({ method, path, headers, body }, reader);
    else {
      streamPool ??= makePool(maxRequests);
      // Between two events any time may pass.
      const bodyTimeout = stream.kind === "events" ? 0 : route.timeoutMs;
      streamPool.dispatch({ method, path, headers, body, bodyTimeout }, reader);
    }
  }

  return {
    send(request, done) {
      // A slow upstream must not gather its callers' bodies here without end.
      if (underWay >= maxRequests) return done(unavailable("too many requests wait for it"));
      underWay++;
      let isOver = false;
      const onOver = (): void => {
        if (!isOver) underWay--;
        isOver = true;
      };
      const reader = new AnswerReader(
        { route: request.route, maxBytes: upstream.maxResponseBytes },
        done,
        onOver,
      );
      dispatch(request, reader).catch(() => reader.giveUp("the request could not be sent"));
    },
    async close() {
      await Promise.all([pool.destroy(), streamPool?.destroy()]);
    },
  };
}

const acceptOf = ({ stream }: ForwardedRequest["route"]): string =>
  stream === undefined
    ? "application/json"
    : `${stream.kind === "events" ? "text/event-stream" : stream.types.join(", ")}, application/json;q=0.5`;

const unavailable = (reason: string): ForwardedAnswer => ({
  kind: "failed",
  code: "GATEWAY_UPSTREAM_UNAVAILABLE",
  reason,
});
