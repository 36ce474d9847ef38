import type { StoredRelease } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { DomainSockets, ToEdge } from "../processes/messages.ts";
import type { ReleaseFeed } from "../releases/release-feed.ts";
import { whenReady } from "./keep-domain.ts";
import type { KeptCertificate } from "./kept-certificate.ts";
import type { KeptRevocations } from "./kept-revocations.ts";
import { launchEdge } from "./launch-edge.ts";
import type { EdgePlaces } from "./launch-edge.ts";
import type { ServedReleases } from "./serve-releases.ts";
import type { Surroundings } from "./surroundings.ts";

/** What an edge serves, and what it needs for that. */
export interface EdgeStart {
  readonly feed: ReleaseFeed;
  readonly releases: ServedReleases;
  readonly certificate: KeptCertificate;
  readonly revocations: KeptRevocations;
  /** The port to listen on; 0 for a free one. */
  readonly port: number;
  readonly eventsFd: number;
  readonly domainSockets: DomainSockets;
  /** Resolves when the domains that it relies on do their work. */
  readonly othersReady: Promise<unknown>;
  /** Called with the process as soon as there is one, and where it listens. */
  readonly launched: (process: DomainProcess<ToEdge>, places: EdgePlaces) => void;
}

/**
 * Starts the edge with the newest release; if that is refused, with the one that was served last.
 *
 * @throws {CurtainwallError} `STACK_RELEASE_MISSING`; what the edge reports while it starts
 */
export async function startEdge(surroundings: Surroundings, start: EdgeStart): Promise<void> {
  const { feed, releases } = start;
  const candidates = feed.candidates();
  if (candidates.length === 0)
    throw new CurtainwallError("STACK_RELEASE_MISSING", "There is no release to serve any more.", {
      hint: "Build it:  npx curtainwall build",
    });
  for (const [index, release] of candidates.entries()) {
    try {
      return await startWith(surroundings, release, start);
    } catch (error) {
      const { code = "", message } = error as Error & { code?: string };
      const isRefusal = /^(?:RELEASE|EDGE_RELEASE)_/.test(code);
      if (isRefusal) releases.refused(release, { code, message });
      if (!isRefusal || index === candidates.length - 1) throw error;
    }
  }
}

async function startWith(
  surroundings: Surroundings,
  release: StoredRelease,
  { feed, releases, certificate, revocations, othersReady, launched, ...given }: EdgeStart,
): Promise<void> {
  const edge = await launchEdge(surroundings, {
    ...given,
    certificate: certificate.current(),
    acceptance: feed.acceptance,
  });
  launched(edge.process, edge.places);
  const { control, pipe, exited, kill } = edge.process;
  await othersReady.catch(async (error: unknown) => {
    kill();
    await exited;
    throw error;
  });
  control.send({ type: "configure", ...edge.configuration });
  // Read once the process can be told of changes: what is revoked meanwhile comes one way or the other.
  revocations.tellAll(edge.process);
  // What goes wrong while it is sent shows in what the edge says, or in that it ends.
  if (pipe !== undefined) void feed.send({ control, pipe }, release).catch(kill);
  const ready = await whenReady(surroundings, "edge", edge.process);
  if (ready.release !== undefined) releases.accepted(ready.release);
}
