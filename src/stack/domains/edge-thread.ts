import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Release, SecurityEvent } from "../../contract/index.ts";
import { createEdgeServer, createRedirectServer } from "../../edge/index.ts";
import type { ApiHandler, EdgeServer } from "../../edge/index.ts";
import { createLimitStore, createReportEndpoint } from "../../gateway/index.ts";
import type { LimitStore, ReportEndpoint } from "../../gateway/index.ts";
import { clientsOf } from "../edge/edge-site.ts";
import { besideReports } from "./beside-reports.ts";
import type { EdgeApi } from "./edge-api.ts";
import { securityEventOf } from "./edge-events.ts";
import { loadHttpParser } from "./load-http-parser.ts";
import { reasonOf } from "./reason.ts";
import { shareOfLimits } from "./share-of-limits.ts";
import type { FromThread, ThreadConfiguration, ToThread } from "./thread-messages.ts";

// One thread of the edge: the whole path of a request, from TLS to the upstream, in one event loop.

const port = parentPort as NonNullable<typeof parentPort>;
const configuration = workerData as ThreadConfiguration;
const say = (message: FromThread): void => port.postMessage(message);

/** Events that may be on their way to the main thread at once: a flood of refusals must not fill memory. */
const maxOnTheirWay = 10_000;

let pending: SecurityEvent[] = [];
let onTheirWay = 0;
let lost = 0;

/** Hands events over in one message a turn of the loop, so that a flood of refusals stays cheap. */
function emit(event: SecurityEvent): void {
  if (onTheirWay + pending.length >= maxOnTheirWay) {
    lost++;
    return;
  }
  if (pending.length === 0) setImmediate(handOver);
  pending.push(event);
}

function handOver(): void {
  if (pending.length === 0) return;
  const events = pending;
  pending = [];
  onTheirWay += events.length;
  say({ type: "events", events });
}

/** The main thread has passed events on: there is room again, and what was lost meanwhile is told. */
function taken(count: number): void {
  onTheirWay -= count;
  if (lost === 0) return;
  emit({ type: "ledger.events.lost", time: Date.now(), source: "edge", count: lost });
  lost = 0;
}

/** How often what browsers repeat is written as a number. */
const reportWindowMs = 60_000;

function createReports(limits: LimitStore): ReportEndpoint | undefined {
  const { origin, reports, clients } = configuration.site;
  if (reports === undefined) return undefined;
  const endpoint = createReportEndpoint({
    path: reports.path,
    origin,
    limits,
    events: emit,
    windowMs: reportWindowMs,
    ipv6Prefix: clients.ipv6Prefix,
  });
  setInterval(() => endpoint.flush(), reportWindowMs).unref();
  return endpoint;
}

/** The gateway, which takes longer to load than all else, where there is something behind it. */
async function createApi(limits: LimitStore): Promise<EdgeApi | undefined> {
  if (!configuration.site.hasApi) return undefined;
  const { createEdgeApi } = await import("./edge-api.ts");
  loadHttpParser();
  return createEdgeApi(configuration, limits, emit);
}

function handlerOf(api: EdgeApi | undefined, reports: ReportEndpoint | undefined): ApiHandler | undefined {
  if (api === undefined || reports === undefined) return api?.gateway ?? reports;
  return besideReports(api.gateway, reports);
}

async function start(): Promise<void> {
  const limits = createLimitStore(configuration.limits);
  const api = await createApi(limits);
  const reports = createReports(limits);
  const handler = handlerOf(api, reports);
  const onEvent = (event: Parameters<typeof securityEventOf>[0]): void =>
    emit(securityEventOf(event, Date.now()));
  const { certificate, ticketKeys } = configuration;
  const { origin } = configuration.site;
  const clients = clientsOf(configuration.site);
  let server: EdgeServer | undefined;
  const redirect = createRedirectServer({ origin, clients, onEvent });

  function serve(release: Release): void {
    if (server !== undefined) return server.setRelease(release);
    server = createEdgeServer({
      release,
      origin,
      certificate,
      ticketKeys,
      ...(handler === undefined ? {} : { api: handler }),
      limits: shareOfLimits(configuration.threads.length),
      clients,
      onEvent,
    });
  }

  const listen = async (): Promise<void> => {
    // Not awaited: an issuer that can't be reached closes the routes that need it, not the site.
    void api?.keys?.load();
    await Promise.all(
      configuration.sockets.map(async ({ fd, kind }) =>
        (kind === "https" ? server : redirect)?.listen({ fd }),
      ),
    );
    say({ type: "listening" });
  };
  const stop = async (graceMs: number): Promise<void> => {
    // Who waits for a turn is told at once; who has had it is answered.
    api?.gateway.close();
    const until = performance.now() + graceMs;
    await Promise.all([server?.close(graceMs), redirect.close(graceMs)]);
    // What was sent for clients that have gone meanwhile is let finish too.
    await api?.close(Math.max(0, until - performance.now()));
    reports?.flush();
    handOver();
    say({ type: "stopped" });
  };

  port.on("message", (message: ToThread) => {
    if (message.type === "listen") listen().catch(fail);
    else if (message.type === "taken") taken(message.count);
    else if (message.type === "api-keys") api?.apiKeys?.replace(message.list);
    else if (message.type === "upstream-certificates") api?.setUpstreamCertificates(message.certificates);
    else if (message.type === "certificate") server?.setCertificate(message.certificate);
    else if (message.type === "release")
      say({ type: "released", refused: refusalOf(() => serve(message.release)) });
    else stop(message.graceMs).catch(fail);
  });
  // While this process may still write where compiled code is kept.
  flushCompileCache();
  say({ type: "loaded" });
}

/** Why it was refused, if it was. Every thread decides alike: each has the same release and the same contract. */
function refusalOf(work: () => void): ReturnType<typeof reasonOf> | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function fail(error: unknown): void {
  say({ type: "failed", ...reasonOf(error) });
}

start().catch(fail);
