import type { ServiceNetwork } from "../addresses/network.ts";

/** Options of an {@link upstream}. */
export interface UpstreamOptions {
  /** Where it listens; a path in it is put before each request's path. Must be https. Several, 16 at most, serve the same under the same path. */
  url: string | readonly [string, ...string[]];
  /**
   * Where its addresses must lie: a name that leads elsewhere is not followed. Default: `"loopback"` for `localhost`, `"private"` for a name that
   * is in no public DNS (`shop`, `shop.internal`, `shop.local`, `shop.home.arpa`), `"public"` for others; an address lies where it lies.
   */
  network?: ServiceNetwork;
  /**
   * How often a GET, or a request of a route that says `idempotent`, is sent again when its connection broke before an answer, 0 to 3; one request
   * in ten at most, and within the route's time. Default 1.
   */
  retries?: number;
  /** The statuses for which it is sent again too. Default: none. */
  retryOn?: readonly (502 | 503 | 504)[];
  /**
   * A path that each address is asked for to know whether it works: `"/healthz"`. It does with a 2xx; one that fails twice in a row gets no request
   * until it answers well. Default: none, requests find out.
   */
  health?: string;
  /** How often that is asked, in milliseconds, by each thread of the edge, 1 000 to 60 000. Default 5 000. */
  healthEveryMs?: number;
  /** How long it may take to answer in full, in milliseconds, 1 to 300 000. Default 5 000. */
  timeoutMs?: number;
  /** The largest answer that is read, in bytes. Default 1 048 576. */
  maxResponseBytes?: number;
  /** Requests under way to it at once, on all threads of a host, 1 to 100 000; the others are answered 503. Default: as many as come. */
  concurrency?: number;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /**
   * PEM files with the certificate that the gateway shows it, and its key, relative to the contract; read again when they change. Nobody but their
   * owner and group may read the key. Default: none is shown.
   */
  clientCertificate?: { certFile: string; keyFile: string };
  /**
   * Tells it the client's address, in headers that are made anew: `X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded`. Not for routes with
   * `cache`, whose answers are for others too. Default: it is not told.
   */
  forwardClient?: "x-forwarded-for" | "forwarded";
  /**
   * Sends a `traceparent`: of a `"new"` trace for each request, whose id is the request's in the log, or `"continue"` for the client's own, with its
   * `tracestate`, if it names one: then clients decide what is recorded. Default: none is sent.
   */
  trace?: "new" | "continue";
  /** Allows `http://`; says why that is safe here. */
  insecureAllowHttp?: string;
}

/** An API behind the gateway, made by {@link upstream}. */
export interface Upstream extends UpstreamOptions {
  readonly kind: "upstream";
}

/** Declares an API that routes can be sent to. */
export function upstream(options: UpstreamOptions): Upstream {
  return Object.freeze({ ...options, kind: "upstream" as const });
}
