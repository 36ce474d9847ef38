import { createPrivateKey } from "node:crypto";
import type { EventSink } from "../../contract/index.ts";
import {
  createApiKeys,
  createGateway,
  createProofVerifier,
  createTokenVerifier,
  openRevocations,
} from "../../gateway/index.ts";
import type { ApiKeys, Gateway, LimitStore } from "../../gateway/index.ts";
import { createAssertionSigner, createIssuerKeys, createUpstream, tokenDigest } from "../../gateway/node.ts";
import type { RemoteKeySource } from "../../gateway/node.ts";
import { loadContract } from "../load-contract.ts";
import { shareChanges } from "./share-changes.ts";
import { createEdgeLimits } from "./edge-limits.ts";
import type { ThreadConfiguration } from "./thread-messages.ts";

/** A site's API in one thread of the edge. */
export interface EdgeApi {
  readonly gateway: Gateway;
  readonly keys: RemoteKeySource | undefined;
  readonly apiKeys: ApiKeys | undefined;
  /** Replaces what upstreams are shown. */
  setUpstreamCertificates(certificates: ThreadConfiguration["upstreamCertificates"]): void;
  /** Lets requests to upstreams end, for at most so many milliseconds, and closes their connections. */
  close(graceMs: number): Promise<void>;
}

/** Loads the contract and makes the gateway. Apart from what serves pages, since a site of pages alone needs none of it. */
export async function createEdgeApi(
  configuration: ThreadConfiguration,
  limits: LimitStore,
  events: EventSink,
): Promise<EdgeApi> {
  const { contract } = await loadContract(configuration.contractFile);
  const { identity } = contract;
  const keys = identity && createIssuerKeys({ identity, ca: configuration.issuerAuthority, events });
  const revocations = openRevocations(configuration.revocations);
  const tokens =
    identity && keys && createTokenVerifier({ identity, keys, revocations, digest: tokenDigest });
  const edgeLimits = createEdgeLimits(configuration, contract, events);
  const proofs =
    configuration.proofs &&
    createProofVerifier({
      origin: contract.origin,
      memory: configuration.proofs,
      clockToleranceSeconds: identity?.clockToleranceSeconds ?? 0,
      shared: edgeLimits.sharedLimits,
    });
  const apiKeys = contract.apiKeys && createApiKeys({ digest: tokenDigest, events });
  apiKeys?.replace(configuration.apiKeys);
  const key = createPrivateKey({ key: configuration.assertionKey, format: "jwk" });
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
      clientCertificate: configuration.upstreamCertificates[upstream.name],
      assertions,
      events,
    });
    return [upstream.name, pool] as const;
  });
  const changes = shareChanges(contract);
  const gateway = createGateway({
    contract,
    destinations: new Map(upstreams.map(([name, { send }]) => [name, send])),
    limits,
    ...edgeLimits,
    tokens,
    proofs,
    apiKeys,
    events,
    ipv6Prefix: contract.edge.ipv6Prefix,
    digest: tokenDigest,
    onForget: changes?.tell,
  });
  changes?.hear((path) => gateway.forget(path));
  return {
    gateway,
    keys,
    apiKeys,
    setUpstreamCertificates(certificates) {
      for (const [name, pool] of upstreams) {
        const certificate = certificates[name];
        if (certificate !== undefined) pool.setClientCertificate(certificate);
      }
    },
    async close(graceMs) {
      await Promise.all(upstreams.map(([, pool]) => pool.close(graceMs)));
    },
  };
}
