import { hash } from "node:crypto";
import type { ContractUpstream, EventSink } from "../../contract/index.ts";
import type { Lookup } from "../../shared/node.ts";
import type { AssertionSigner } from "../assertion.ts";
import { assertionHeader } from "../assertion.ts";
import type { Schedule } from "../limits/pace.ts";
import type { Destination, ForwardedAnswer, ForwardedRequest } from "../types.ts";
import { AnswerReader, isRepeatable } from "./answer-reader.ts";
import { Attempt } from "./upstream/attempt.ts";
import type { AttemptEnd } from "./upstream/attempt.ts";
import type { Backend, ClientCertificate } from "./upstream/backend.ts";
import { openBackends } from "./upstream/backends.ts";
import { chooseBackend } from "./upstream/balance.ts";
import { watchHealth } from "./upstream/health.ts";
import { createRetryBudget } from "./upstream/retry-budget.ts";

/** Options of {@link createUpstream}. */
export interface UpstreamPoolOptions {
  upstream: ContractUpstream;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  ca?: string | undefined;
  /** What is shown to it, to be known by. Default: nothing. */
  clientCertificate?: ClientCertificate | undefined;
  /** Proves to the upstream that a request passed the gateway, and for whom. */
  assertions: AssertionSigner;
  /** Connections kept to each of its addresses. Default 64. */
  connections?: number;
  /** Requests under way at once, those that wait for a connection included; more are refused. Default 1 024. */
  maxRequests?: number;
  /** Sends all of it through a socket of egress, which adds what it has a secret for, and speaks TLS. Default: to the upstream itself. */
  through?: UpstreamSocket | undefined;
  /** Finds a name's addresses. Default: as the system does. */
  lookup?: Lookup | undefined;
  /** Told when an address is refused, fails, or works again. Default: nobody is. */
  events?: EventSink;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** Runs something after so many milliseconds, and returns what calls it off. Default: timers. */
  schedule?: Schedule;
}

/** Somebody who sends requests on: to the origin that their targets name, for the route that they name. */
export interface UpstreamSocket {
  readonly socketPath: string;
  /** The header that gets a route's key, percent-encoded. */
  readonly routeHeader: string;
  /** The header that says, with a code, that an answer is not the upstream's. */
  readonly refusalHeader: string;
}

/** Connections to one upstream. */
export interface UpstreamPool {
  readonly send: Destination;
  /** Replaces what is shown to it: what is under way ends on the old connections, and all else goes over new ones. */
  setClientCertificate(certificate: ClientCertificate): void;
  /** Lets what is under way end, for at most so many milliseconds (default 0), and cuts the rest. */
  close(graceMs?: number): Promise<void>;
}

/** A request on its way, over one attempt or several. */
interface Delivery {
  readonly request: ForwardedRequest;
  readonly reader: AnswerReader;
  /** Where it failed. */
  readonly tried: readonly Backend[];
  /** How often it was sent again. */
  readonly resent: number;
}

const untried: readonly Backend[] = [];
const firstDelayMs = 50;
const formType = "application/x-www-form-urlencoded";

/**
 * Sends checked requests to an upstream over a pool of connections to each of its addresses. It gets the rebuilt target, the
 * checked body written anew and a signed assertion: none of the client's own headers. Its answer is read whole, within a time
 * and a size. A request that could not connect goes to the next address; one that was sent is sent again only if it may be
 * done twice, within the same time and a budget.
 */
export function createUpstream({
  upstream,
  ca,
  clientCertificate,
  assertions,
  connections = 64,
  maxRequests = 1024,
  through,
  lookup,
  events = () => undefined,
  now = Date.now,
  schedule = after,
}: UpstreamPoolOptions): UpstreamPool {
  let shown = clientCertificate;
  const backends = openBackends({
    upstream,
    ca,
    clientCertificate: () => shown,
    connections,
    maxStreams: maxRequests,
    socketPath: through?.socketPath,
    lookup,
    events,
    now,
  });
  const prefix = upstream.url.pathname.replace(/\/$/, "");
  const { retries = 0, retryOn = [] } = upstream;
  // One that is restarted breaks off what is under way on all connections at once.
  const budget = createRetryBudget({ burst: connections });
  let underWay = 0;
  let turn = 0;
  let onIdle = nothing;

  function start(delivery: Delivery): void {
    if (delivery.reader.isSettled) return;
    if (backends.current().length > 0) return attempt(delivery);
    // Nothing is known yet, or not for too long.
    backends.load().then(
      () => attempt(delivery),
      () => delivery.reader.giveUp(noAddress),
    );
  }

  function attempt(delivery: Delivery): void {
    try {
      sign(delivery);
    } catch {
      delivery.reader.giveUp(notSent);
    }
  }

  function sign(delivery: Delivery): void {
    const { request, reader } = delivery;
    // Not signed for nothing: while an upstream is down this is all that its requests cost.
    if (choose(delivery) === undefined)
      return reader.giveUp(backends.current().length === 0 ? noAddress : noneWorks);
    const { route, caller, id } = request;
    const { method } = route;
    const path = prefix + request.target;
    const body = bodyOf(request);
    const bodyDigest = body === null ? undefined : hash("sha256", body, "base64url");
    const assertion = assertions.sign({ caller, method, path, bodyDigest, id });
    if (typeof assertion === "string") return dispatch(delivery, path, body, assertion);
    assertion.then((later) => dispatch(delivery, path, body, later)).catch(() => reader.giveUp(notSent));
  }

  function dispatch(delivery: Delivery, checked: string, body: string | null, assertion: string): void {
    const { request, reader } = delivery;
    if (reader.isSettled) return;
    const backend = choose(delivery);
    if (backend === undefined) return reader.giveUp(noneWorks);
    turn++;
    const { route, id } = request;
    const { method, stream } = route;
    const handler = attemptAt(backend, delivery);
    const headers = ["accept", acceptOf(route), "request-id", id, assertionHeader, assertion];
    if (body !== null)
      headers.push("content-type", route.bodyType === "form" ? formType : "application/json");
    if (request.headers !== undefined) headers.push(...request.headers);
    if (request.about !== undefined) headers.push(...request.about);
    // What is signed is the path alone: whoever sends it on takes the origin off again.
    const path = through === undefined ? checked : upstream.url.origin + checked;
    if (through !== undefined)
      headers.push("host", upstream.url.host, through.routeHeader, encodeURIComponent(route.key));
    if (stream === undefined) backend.pool().dispatch({ method, path, headers, body }, handler);
    else {
      // Between two events any time may pass.
      const bodyTimeout = stream.kind === "events" ? 0 : route.timeoutMs;
      backend.streamPool().dispatch({ method, path, headers, body, bodyTimeout }, handler);
    }
  }

  /** What was sent may be sent to the same address again, if there is no other. */
  function choose({ tried, resent }: Delivery): Backend | undefined {
    const all = backends.current();
    return chooseBackend(all, turn, tried) ?? (resent > 0 ? chooseBackend(all, turn) : undefined);
  }

  function attemptAt(backend: Backend, delivery: Delivery): Attempt {
    const { request, reader, tried, resent } = delivery;
    const elsewhere = { request, reader, tried: [...tried, backend] };
    return new Attempt({
      reader,
      onEnd: begin(backend),
      onUnsent: () => start({ ...elsewhere, resent }),
      readRefusal,
      resend(status) {
        if (resent >= retries || !isRepeatable(request.route)) return false;
        if (status !== undefined && !retryOn.includes(status)) return false;
        if (!budget.spend()) return false;
        // Requests that failed together must not come back together.
        schedule(Math.random() * firstDelayMs * 2 ** resent, () =>
          start({ ...elsewhere, resent: resent + 1 }),
        );
        return true;
      },
    });
  }

  const readRefusal =
    through &&
    ((headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined => {
      const code = headers[through.refusalHeader];
      return code === undefined ? undefined : `egress answers ${String(code).slice(0, 60)}`;
    });

  /** Tells when health checks change what is thought of an address. */
  function onHealth({ breaker, name: address }: Backend, reason: string): void {
    const wasOpen = breaker.isOpen;
    breaker.probe(reason === "");
    if (breaker.isOpen === wasOpen) return;
    const about = { time: now(), upstream: upstream.name, address };
    if (wasOpen) events({ type: "gateway.upstream.restored", ...about });
    else events({ type: "gateway.upstream.avoided", ...about, reason });
  }

  /** Counts a request to an address; what is returned takes how it went. */
  function begin(backend: Backend): (end: AttemptEnd) => void {
    const { breaker, name: address } = backend;
    backend.outstanding++;
    const number = breaker.begin();
    return ({ verdict, reason }) => {
      backend.outstanding--;
      const wasOpen = breaker.isOpen;
      const forMs = breaker.end(verdict, number, backends.current().length > 1);
      const about = { time: now(), upstream: upstream.name, address };
      if (forMs > 0) events({ type: "gateway.upstream.avoided", ...about, reason, forMs });
      else if (wasOpen && !breaker.isOpen) events({ type: "gateway.upstream.restored", ...about });
    };
  }

  // Health checks come from no route, so egress has no secret for them.
  const health = through === undefined ? upstream.health : undefined;
  const endHealth =
    health === undefined ? nothing : watchHealth({ ...health, backends, assertions, schedule, onHealth });

  return {
    send(request, done) {
      // A slow upstream must not gather its callers' bodies here without end.
      if (underWay >= maxRequests) return done(unavailable("too many requests wait for it"));
      underWay++;
      let isOver = false;
      const onOver = (): void => {
        if (isOver) return;
        isOver = true;
        if (--underWay === 0) onIdle();
      };
      const { route, timeoutMs = route.timeoutMs } = request;
      const limits = { route, timeoutMs, maxBytes: upstream.maxResponseBytes };
      const reader = new AnswerReader(limits, done, onOver);
      budget.earn();
      start({ request, reader, tried: untried, resent: 0 });
      return () => reader.callOff();
    },
    setClientCertificate(certificate) {
      shown = certificate;
      backends.renew();
    },
    async close(graceMs = 0) {
      endHealth();
      if (underWay > 0 && graceMs > 0)
        await new Promise<void>((resolve) => {
          const callOff = schedule(graceMs, resolve);
          onIdle = () => {
            callOff();
            resolve();
          };
        });
      await backends.close();
    },
  };
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
}

const nothing = (): void => undefined;
const noAddress = "its name has no address that it may have";
const notSent = "the request could not be sent";
const noneWorks = "none of its addresses works";

function bodyOf({ route, body }: ForwardedRequest): string | null {
  if (body === undefined) return null;
  return route.bodyType === "form" ? (body as string) : JSON.stringify(body);
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
