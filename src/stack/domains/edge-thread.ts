import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { importJWK } from "jose";
import type { CryptoKey } from "jose";
import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract, Release, SecurityEvent } from "../../contract/index.ts";
import { createEdgeServer, createRedirectServer } from "../../edge/index.ts";
import type { ClientOptions, EdgeServer } from "../../edge/index.ts";
import {
  createGateway,
  createLimitStore,
  createReportEndpoint,
  createTokenVerifier,
} from "../../gateway/index.ts";
import type { Gateway, LimitStore, ReportEndpoint } from "../../gateway/index.ts";
import { createAssertionSigner, createIssuerKeys, createUpstream, tokenDigest } from "../../gateway/node.ts";
import type { RemoteKeySource } from "../../gateway/node.ts";
import { loadContract } from "../load-contract.ts";
import { besideReports } from "./beside-reports.ts";
import { securityEventOf } from "./edge-events.ts";
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

interface Api {
  gateway: Gateway;
  keys: RemoteKeySource | undefined;
  reports: ReportEndpoint | undefined;
}

/** How often what browsers repeat is written as a number. */
const reportWindowMs = 60_000;

function createReports({ origin, reports, edge }: Contract, limits: LimitStore): ReportEndpoint | undefined {
  if (reports === undefined) return undefined;
  const endpoint = createReportEndpoint({
    path: reports.path,
    origin,
    limits,
    events: emit,
    windowMs: reportWindowMs,
    ipv6Prefix: edge.ipv6Prefix,
  });
  setInterval(() => endpoint.flush(), reportWindowMs).unref();
  return endpoint;
}

async function createApi(contract: Contract): Promise<Api> {
  const { identity } = contract;
  const keys = identity && createIssuerKeys({ identity, ca: configuration.issuerAuthority, events: emit });
  const tokens = identity && keys && createTokenVerifier({ identity, keys, digest: tokenDigest });
  const key = (await importJWK(configuration.assertionKey, "EdDSA")) as CryptoKey;
  const upstreams = [...contract.upstreams.values()].map((upstream) => {
    const assertions = createAssertionSigner({
      key,
      keyId: configuration.assertionKey.kid ?? "",
      issuer: contract.origin,
      audience: upstream.url.href,
    });
    const pool = createUpstream({
      upstream,
      ca: configuration.upstreamAuthorities[upstream.name],
      assertions,
    });
    return [upstream.name, pool.send] as const;
  });
  const limits = createLimitStore(configuration.limits);
  const gateway = createGateway({
    contract,
    destinations: new Map(upstreams),
    limits,
    tokens,
    events: emit,
    ipv6Prefix: contract.edge.ipv6Prefix,
  });
  return { gateway, keys, reports: createReports(contract, limits) };
}

async function start(): Promise<void> {
  const { contract } = await loadContract(configuration.contractFile);
  const { gateway, keys, reports } = await createApi(contract);
  const onEvent = (event: Parameters<typeof securityEventOf>[0]): void =>
    emit(securityEventOf(event, Date.now()));
  const { certificate, ticketKeys } = configuration;
  let server: EdgeServer | undefined;
  const clients = clientsOf(contract);
  const redirect = createRedirectServer({ origin: contract.origin, clients, onEvent });

  function serve(release: Release): void {
    if (server !== undefined) return server.setRelease(release);
    server = createEdgeServer({
      release,
      origin: contract.origin,
      certificate,
      ticketKeys,
      api: reports === undefined ? gateway : besideReports(gateway, reports),
      limits: shareOfLimits(configuration.threads.length),
      clients,
      onEvent,
    });
  }

  const listen = async (): Promise<void> => {
    // Not awaited: an issuer that can't be reached closes the routes that need it, not the site.
    void keys?.load();
    await Promise.all(
      configuration.sockets.map(async ({ fd, kind }) =>
        (kind === "https" ? server : redirect)?.listen({ fd }),
      ),
    );
    say({ type: "listening" });
  };
  const stop = async (graceMs: number): Promise<void> => {
    await Promise.all([server?.close(graceMs), redirect.close(graceMs)]);
    reports?.flush();
    handOver();
    say({ type: "stopped" });
  };

  port.on("message", (message: ToThread) => {
    if (message.type === "listen") listen().catch(fail);
    else if (message.type === "taken") taken(message.count);
    else if (message.type === "certificate") server?.setCertificate(message.certificate);
    else if (message.type === "release")
      say({ type: "released", refused: refusalOf(() => serve(message.release)) });
    else stop(message.graceMs).catch(fail);
  });
  // While this process may still write where compiled code is kept.
  flushCompileCache();
  say({ type: "loaded" });
}

/** Where the site is this machine's own, whoever speaks for others is its developer. */
const clientsOf = ({ origin, edge }: Contract): ClientOptions => ({
  proxies: edge.proxies,
  ipv6Prefix: edge.ipv6Prefix,
  refuseUndeclared: !edge.deniesProxies && !isLoopbackHost(new URL(origin).hostname),
});

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
