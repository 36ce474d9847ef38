import type { AcceptedRelease } from "../../contract/index.ts";
import type { StoredRelease } from "../../release/node.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToEdge } from "../processes/messages.ts";
import type { ReleaseFeed } from "../releases/release-feed.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** Why a release is refused. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Which release is served, and what becomes of newer ones. */
export interface ServedReleases {
  /** The one that is served. */
  readonly served: AcceptedRelease | undefined;
  /** Takes note of a decision of the edge, and tells it. */
  accepted(release: AcceptedRelease): void;
  refused(release: StoredRelease, why: Refusal): void;
  /** Hands a release that was published meanwhile to the edge, and waits for its decision. */
  handOver(edge: DomainProcess<ToEdge> | undefined): Promise<void>;
}

/** Follows the releases of a site. */
export function serveReleases(surroundings: Surroundings, feed: ReleaseFeed): ServedReleases {
  const { events, stopping } = surroundings;
  let served: AcceptedRelease | undefined;

  function accepted(release: AcceptedRelease): void {
    const isNew = release.sequence !== served?.sequence;
    served = release;
    feed.remember(release);
    if (!isNew) return;
    const { sequence, digest } = release;
    events({ type: "stack.release.accepted", time: Date.now(), release: digest, sequence });
    say(surroundings, "info", `release ${sequence} (${digest.slice(0, 12)}) is served`);
  }

  function refused({ sequence, digest }: StoredRelease, { code, message }: Refusal): void {
    events({
      type: "stack.release.refused",
      time: Date.now(),
      release: digest,
      sequence,
      code,
      reason: message,
    });
    const otherwise = served === undefined ? "nothing is served yet" : "the one before stays";
    say(surroundings, "error", `release ${sequence} is refused, ${otherwise}: ${code}: ${message}`);
  }

  return {
    get served() {
      return served;
    },
    accepted,
    refused,
    async handOver(edge) {
      const release = feed.next();
      if (release === undefined || edge?.pipe === undefined || stopping.aborted) return;
      const { control, pipe, exited } = edge;
      const decided = new Promise<void>((resolve) =>
        control.onMessage((message) => {
          if (message.type === "release-accepted") accepted(message.release);
          if (message.type === "release-refused")
            refused(release, { ...message, message: withContractOfStart(message) });
          resolve();
        }),
      );
      try {
        await feed.send({ control, pipe }, release);
        // An edge that ends meanwhile is started again, with the newest release.
        await Promise.race([decided, exited]);
      } catch (error) {
        say(
          surroundings,
          "warning",
          `release ${release.sequence} could not be handed over: ${(error as Error).message}`,
        );
      }
    },
  };
}

/** What depends on the contract, which a stack reads once. */
const ofContract: ReadonlySet<string> = new Set([
  "RELEASE_SIGNATURE_INVALID",
  "RELEASE_CONTRACT_OTHER",
  "RELEASE_SITE_OTHER",
]);

/** Whoever pins keys, or changes a route, while the stack runs, is told why that reaches no visitor yet. */
function withContractOfStart({ code, message }: Refusal): string {
  return ofContract.has(code)
    ? `${message} This stack goes by the contract as it was when it started: if keys, routes or the origin have changed since, start it again.`
    : message;
}
