import { availableParallelism } from "node:os";
import { proofSeconds } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { readApiKeys } from "../edge/api-keys.ts";
import { loadAssertionKey } from "../edge/assertion-key.ts";
import { readPem } from "../edge/certificate.ts";
import type { StackCertificate } from "../edge/certificate.ts";
import { edgeSiteOf } from "../edge/edge-site.ts";
import { edgeView } from "../edge/edge-view.ts";
import { firstInheritedFd } from "../processes/launch.ts";
import type { DomainProcess } from "../processes/launch.ts";
import { readLimitStoreAccess, roomForGates } from "../edge/limit-store.ts";
import { openListeners } from "../edge/listeners.ts";
import type { Listeners } from "../edge/listeners.ts";
import type { DomainSockets, EdgeConfiguration, ToEdge } from "../processes/messages.ts";
import { readUpstreamCertificates } from "../edge/upstream-certificates.ts";
import { launch, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What an edge is given beside what its contract and its site's folder say. */
export interface EdgeInputs {
  /** The port to listen on; 0 for a free one. */
  readonly port: number;
  readonly certificate: StackCertificate;
  readonly acceptance: EdgeConfiguration["acceptance"];
  /** Where it writes events to. */
  readonly eventsFd: number;
  /** Where it reaches the domains behind it. */
  readonly domainSockets: DomainSockets;
}

/** Where an edge listens. */
export interface EdgePlaces {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly redirectPort: number | undefined;
}

/** An edge's process, which waits for its configuration. */
export interface LaunchedEdge {
  readonly process: DomainProcess<ToEdge>;
  readonly places: EdgePlaces;
  readonly configuration: EdgeConfiguration;
}

/** Opens an edge's sockets, and starts a process that inherits them. */
export async function launchEdge(
  surroundings: Surroundings,
  { port, certificate, acceptance, eventsFd, domainSockets }: EdgeInputs,
): Promise<LaunchedEdge> {
  const { loaded } = surroundings;
  const { addresses, redirectPort, threads = availableParallelism() } = loaded.contract.edge;
  // All of it is read before there is a process that would have to be ended if something can't be.
  const material = {
    ...(await readMaterial(surroundings)),
    certificate: certificate.pair,
    acceptance,
    domainSockets,
  };
  const https = await openListeners({ addresses, port, threads });
  const redirect =
    redirectPort === false ? undefined : await openListeners({ addresses, port: redirectPort, threads: 1 });
  const sockets = inheritedSockets(https, redirect);
  const view = edgeView(loaded);
  const reached = Object.values(domainSockets).filter((path) => path !== undefined);
  const process_ = launch<ToEdge>(surroundings, "edge", [eventsFd, "pipe", ...sockets.fds], {
    ...view,
    readOnly: [...view.readOnly, ...reached],
  });
  https.close();
  redirect?.close();
  return {
    process: process_,
    places: { addresses: https.addresses, port: https.port, redirectPort: redirect?.port },
    configuration: {
      ...material,
      eventsFd: firstInheritedFd,
      releaseFd: firstInheritedFd + 1,
      threads: sockets.threads,
    },
  };
}

/** What the contract and the files that it names say, as the edge is told it. */
async function readMaterial(
  surroundings: Surroundings,
): Promise<
  Omit<
    EdgeConfiguration,
    "certificate" | "acceptance" | "domainSockets" | "eventsFd" | "releaseFd" | "threads"
  >
> {
  const { loaded, folders } = surroundings;
  const { contract, file, root } = loaded;
  return {
    contractFile: file,
    site: edgeSiteOf(contract),
    upstreamAuthorities: Object.fromEntries(
      [...contract.upstreams.values()].flatMap(({ name, caFile }) =>
        caFile === undefined ? [] : [[name, readPem(root, caFile) ?? ""]],
      ),
    ),
    upstreamCertificates: readUpstreamCertificates(contract, root),
    issuerAuthority: readPem(root, contract.identity?.caFile),
    apiKeys: readApiKeys(contract, root),
    proofSeconds: proofSecondsOf(contract),
    assertionKey: await loadAssertionKey(folders),
    user: userOf(surroundings, "edge"),
    maxClients: contract.edge.maxClients,
    gateSpace: roomForGates(contract),
    limitStore: readLimitStoreAccess(contract, root),
  };
}

/** How long a proof of possession counts: its own time, and what clocks may differ by. */
const proofSecondsOf = ({ identity }: Contract): number | undefined =>
  identity?.dpop === undefined ? undefined : proofSeconds + identity.clockToleranceSeconds;

/** Numbers the sockets as the edge will see them: after the control channel, the events and the release. */
function inheritedSockets(
  https: Listeners,
  redirect: Listeners | undefined,
): { fds: number[]; threads: EdgeConfiguration["threads"] } {
  const fds: number[] = [];
  const inherit = (fd: number): number => firstInheritedFd + 2 + fds.push(fd) - 1;
  const threads = https.fds.map((row, thread) => [
    ...row.map((fd) => ({ fd: inherit(fd), kind: "https" as const })),
    ...(thread === 0 ? (redirect?.fds[0] ?? []) : []).map((fd) => ({
      fd: inherit(fd),
      kind: "redirect" as const,
    })),
  ]);
  return { fds, threads };
}
