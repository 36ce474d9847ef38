import type { JWK } from "jose";
import { CurtainwallError } from "../../shared/index.ts";
import type { Contract } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import { createFetch } from "./fetch.ts";

const mostKeys = 10;

/**
 * Asks an issuer for its public keys, where the gateway would: at `jwksUrl`, or on the issuer's own origin (docs/decisions/131).
 *
 * @throws {CurtainwallError} AUDIT_TARGET_UNREACHABLE: its discovery document leads elsewhere
 * @see RFC 8414 §3, OpenID Connect Discovery 1.0 §4
 */
export async function fetchIssuerKeys(
  { identity }: Contract,
  hopAuthorities: AuditContext["hopAuthorities"],
): Promise<readonly JWK[]> {
  if (identity === undefined) return [];
  const { issuer } = identity;
  const fetch = createFetch(await hopAuthorities(identity.caFile));
  const read = async (url: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url)).json()) as Record<string, unknown>;
  const discovered = async (): Promise<string> => {
    const { jwks_uri: found } = await read(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
    if (typeof found === "string" && URL.parse(found)?.origin === new URL(issuer).origin) return found;
    throw new CurtainwallError(
      "AUDIT_TARGET_UNREACHABLE",
      `the issuer's keys are not asked for: its discovery document names none on its own origin, and identity.jwksUrl says nothing else`,
    );
  };
  const { keys } = await read(identity.jwksUrl ?? (await discovered()));
  return Array.isArray(keys) ? (keys as JWK[]).slice(0, mostKeys) : [];
}
