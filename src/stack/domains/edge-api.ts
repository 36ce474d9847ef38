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
import { createAssertionSigner, createIssuerKeys, tokenDigest } from "../../gateway/node.ts";
import type { RemoteKeySource } from "../../gateway/node.ts";
import { createWebhookVerifier } from "../egress/webhook-verifier.ts";
import { openFunctions } from "../functions/function-destination.ts";
import { loadContract } from "../contract/load-contract.ts";
import { openUpstream } from "../egress/open-upstream.ts";
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
  const { egress: egressSocket, functions: functionsSocket } = configuration.domainSockets;
  const functions =
    functionsSocket === undefined ? undefined : openFunctions({ contract, socketPath: functionsSocket });
  const upstreams = [...contract.upstreams.values()].map((upstream) => {
    const assertions = createAssertionSigner({
      key,
      keyId: configuration.assertionKey.kid ?? "",
      issuer: contract.origin,
      audience: upstream.url.href,
    });
    const pool = openUpstream({
      contract,
      egressSocket,
      upstream,
      ca: configuration.upstreamAuthorities[upstream.name],
      clientCertificate: configuration.upstreamCertificates[upstream.name],
      assertions,
      events,
    });
    return [upstream.name, pool] as const;
  });
  const takesWebhooks = contract.routes.some(({ webhook }) => webhook !== undefined);
  const webhooks =
    takesWebhooks && egressSocket !== undefined
      ? createWebhookVerifier({ socketPath: egressSocket })
      : undefined;
  const changes = shareChanges(contract);
  const gateway = createGateway({
    contract,
    destinations: new Map([
      ...upstreams.map(([name, { send }]) => [name, send] as const),
      ...(functions?.destinations ?? []),
    ]),
    limits,
    ...edgeLimits,
    tokens,
    proofs,
    apiKeys,
    webhooks,
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
      await Promise.all([...upstreams.map(([, pool]) => pool.close(graceMs)), functions?.close(graceMs)]);
      webhooks?.close();
    },
  };
}
