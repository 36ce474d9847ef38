import { accessParts } from "../../../contract/index.ts";
import type { Access, Identity } from "../../../contract/index.ts";
import type { AuditCaller } from "../../plan/plan.ts";
import { mayBe } from "../../requests/inputs.ts";

/** Somebody who is nearly whom a route asks for, as their token says it. */
export interface NearCaller {
  name: string;
  /** In place of their token's claims; what is undefined is in no claim. */
  claims: Readonly<Record<string, unknown>>;
}

/**
 * Callers whose roles, scopes or tenant stand in every claim where issuers and libraries have such things, but in the one that the contract
 * names: all in one token, since whoever reads any of them lets it in. Who passes without that claim shows nothing, and is left out.
 */
export function saidElsewhere(access: Access, caller: AuditCaller, identity: Identity): NearCaller[] {
  const { roles = [], scopes = [], tenant, ...others } = caller;
  const whole = { ...others, roles, scopes, ...(tenant === undefined ? {} : { tenant }) };
  const asked = new Set(accessParts(access).map(({ kind }) => kind));
  const found: NearCaller[] = [];
  // A scope is what it is, whoever meant it for a role: with it, they may be let in for that.
  const inScope = roles.filter((role) => scopeForm.test(role));
  if (asked.has("role") && !mayBe(access, { ...whole, roles: [], scopes: [...scopes, ...inScope] }))
    found.push({
      name: "with their roles in other claims (scope, groups, realm_access …)",
      claims: {
        ...nowhereElse(namesOfMany(roles), identity),
        ...(inScope.length === 0 ? {} : { scope: [...scopes, ...inScope].join(" ") }),
        [identity.rolesClaim]: undefined,
      },
    });
  if (asked.has("scope") && !mayBe(access, { ...whole, scopes: [] }))
    found.push({
      name: "with their scopes in other claims (scp, groups, permissions …)",
      claims: { ...nowhereElse(namesOfMany(scopes), identity), scope: undefined },
    });
  if (asked.has("tenant") && tenant !== undefined && !mayBe(access, { ...others, roles, scopes }))
    found.push({
      name: "with their tenant in other claims (tenant_id, org, groups …)",
      claims: { ...nowhereElse(namesOfTenant(tenant), identity), [identity.tenantClaim ?? ""]: undefined },
    });
  return found;
}

/** RFC 6749 §3.3. */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** What says of many libraries' callers what they may do, in the forms that it has there. */
const namesOfMany = (names: readonly string[]): Record<string, unknown> => ({
  scp: names,
  role: names.length === 1 ? names[0] : names,
  roles: names,
  groups: names,
  permissions: names,
  authorities: names,
  "cognito:groups": names,
  realm_access: { roles: names },
});

const namesOfTenant = (tenant: string): Record<string, unknown> => ({
  groups: [tenant],
  ...Object.fromEntries(tenantClaims.map((claim) => [claim, tenant])),
});

const tenantClaims = ["tenant", "tenant_id", "tenantId", "tid", "org", "org_id", "organization", "account"];

/** Without the claims that the contract reads for something: what stands there says that, and is no fault. */
function nowhereElse(
  claims: Readonly<Record<string, unknown>>,
  { rolesClaim, tenantClaim }: Pick<Identity, "rolesClaim" | "tenantClaim">,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(claims).filter(([claim]) => claim !== rolesClaim && claim !== tenantClaim),
  );
}
