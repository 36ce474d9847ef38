import type { ContractUpstream } from "../contract.ts";
import type { Identity } from "../contract/callers.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import { otherOptions } from "./other-options.ts";
import type { Permission, Permits } from "./permission.ts";
import { identityTreatments, upstreamTreatments } from "./treatment.ts";

/** Where requests go, and how much comes back. */
export function upstreamPermissions(upstream: ContractUpstream): Permission[] {
  const { name, url, alternates = [], maxResponseBytes, caFile, clientCertificate } = upstream;
  const at = `upstream ${name}`;
  return [
    ...[url, ...alternates].map((address) => entry(at, addressOf(address))),
    entry(`${at} maxResponseBytes`, { atMost: maxResponseBytes }),
    ...authority(at, caFile),
    ...optional(`${at} clientCertificate`, clientCertificate?.certFile),
    // An address is personal; and what a client says of a trace is believed.
    ...optional(`${at} forwardClient`, upstream.forwardClient),
    ...optional(`${at} trace`, upstream.trace),
    ...otherOptions(at, upstream, upstreamTreatments),
  ];
}

/** Whose tokens are believed. */
export function identityPermissions(identity: Identity | undefined): Permission[] {
  if (identity === undefined) return [];
  const { issuer, audience, jwksUrl, algorithms, rolesClaim, clockToleranceSeconds, caFile, dpop } = identity;
  return [
    entry("identity issuer", addressOf(issuer)),
    entry("identity audience", audience),
    ...optional("identity jwksUrl", jwksUrl === undefined ? undefined : addressOf(jwksUrl)),
    ...algorithms.map((algorithm) => entry("identity algorithm", algorithm)),
    entry("identity rolesClaim", rolesClaim),
    entry("identity clockToleranceSeconds", { atMost: clockToleranceSeconds }),
    ...authority("identity", caFile),
    ...(dpop === "required" ? [entry("identity guards", { guards: { dpop } })] : []),
    ...otherOptions("identity", identity, identityTreatments),
  ];
}

/** What lies on this machine is somewhere else in each developer's copy, and nobody else answers there. */
export function addressOf(url: URL | string): string {
  const { protocol, hostname, href } = new URL(url);
  return isLoopbackHost(hostname) ? `${protocol}//(this machine)` : href;
}

/** Another authority is another to believe; and none of one's own is all that the system believes. */
export const authority = (at: string, caFile: string | undefined): Permission[] =>
  caFile === undefined
    ? []
    : [entry(`${at} caFile`, caFile), entry(`${at} authority`, { guards: { ownAuthority: true } })];

export const entry = (at: string, permits: Permits): Permission => ({ at, permits });

export const optional = (at: string, permits: string | undefined): Permission[] =>
  permits === undefined ? [] : [entry(at, permits)];
