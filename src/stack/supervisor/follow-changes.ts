import { watchApiKeys } from "../edge/api-keys.ts";
import { watchCertificate } from "../edge/certificate.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToEdge } from "../processes/messages.ts";
import { watchUpstreamCertificates } from "../edge/upstream-certificates.ts";
import type { KeptCertificate } from "./kept-certificate.ts";
import type { KeptRevocations } from "./kept-revocations.ts";
import type { ServedReleases } from "./serve-releases.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What may change while a stack runs, and whom that is told. */
export interface Changing {
  readonly edge: () => DomainProcess<ToEdge> | undefined;
  readonly certificate: KeptCertificate;
  readonly revocations: KeptRevocations;
  readonly releases: ServedReleases;
  /** Called when another release is served; what goes wrong then is told. */
  readonly onRelease: () => Promise<void>;
}

/** Made by {@link followChanges}. */
export interface FollowedChanges {
  /** Looks for a release at once; resolves when it was taken or refused. */
  lookForRelease(): Promise<void>;
  end(): void;
}

/** How often a running stack looks for a release that was published meanwhile. */
const releaseCheckMs = 500;

/** Brings an edge what changes on disk: the certificates, lists of keys and of what is revoked, and releases. */
export function followChanges(surroundings: Surroundings, changing: Changing): FollowedChanges {
  const { loaded, folders } = surroundings;
  const { edge, certificate, revocations } = changing;
  const unwatch = [
    watchCertificate(loaded.contract, folders, () => void certificate.reload()),
    watchApiKeys(loaded, (list) => edge()?.control.send({ type: "api-keys", list })),
    watchUpstreamCertificates(
      loaded,
      (certificates) => edge()?.control.send({ type: "upstream-certificates", certificates }),
      (message) => say(surroundings, "warning", `an upstream's certificate was not replaced: ${message}`),
    ),
    revocations.watch(),
  ];
  let looking = Promise.resolve();
  const lookForRelease = (): Promise<void> =>
    (looking = looking.then(() => handOver(surroundings, changing)));
  const timer = setInterval(() => void lookForRelease(), releaseCheckMs);
  timer.unref();
  return {
    lookForRelease,
    end() {
      for (const one of unwatch) one();
      clearInterval(timer);
    },
  };
}

async function handOver(surroundings: Surroundings, { edge, releases, onRelease }: Changing): Promise<void> {
  const before = releases.served?.sequence;
  await releases.handOver(edge());
  if (releases.served?.sequence === before) return;
  await onRelease().catch((error: unknown) =>
    say(surroundings, "warning", `functions run the code that they had: ${(error as Error).message}`),
  );
}
