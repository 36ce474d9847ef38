import type { Access } from "../access.ts";
import type { ContractVisibility } from "../contract/route.ts";

/** Says in words who may call a route. */
export function describeAccess(access: Access): string {
  switch (access.kind) {
    case "everyone":
      return "everyone";
    case "signedIn":
      return "any signed-in subject";
    case "role":
      return `subjects with the role "${access.role}"`;
    case "scope":
      return `callers with the scope "${access.scope}"`;
    case "owner":
      return `the subject that the path names as :${access.param}`;
    case "tenant":
      return `callers of the tenant that the path names as :${access.param}`;
    case "ownerField":
      return `the subject that the answer names as ${access.field}`;
    case "ownerLookup":
      return `the subject that GET ${access.get} names as ${access.field}`;
    case "check":
      return `callers who pass the check "${access.name}"`;
    case "allOf":
      return access.of.map(describeInner).join(" and ");
    case "anyOf":
      return access.of.map(describeInner).join(" or ");
  }
}

const describeInner = (access: Access): string =>
  access.kind === "allOf" || access.kind === "anyOf" ? `(${describeAccess(access)})` : describeAccess(access);

/** Names one condition as it is written, shortly: `scope orders:read`, `ownerField customerId`. */
export function nameCondition(access: Exclude<Access, { kind: "allOf" | "anyOf" }>): string {
  switch (access.kind) {
    case "everyone":
    case "signedIn":
      return access.kind;
    case "role":
      return `role ${access.role}`;
    case "scope":
      return `scope ${access.scope}`;
    case "owner":
    case "tenant":
      return `${access.kind} ${access.param}`;
    case "ownerField":
      return `ownerField ${access.field}`;
    case "ownerLookup":
      return `ownerLookup ${access.get} ${access.field}`;
    case "check":
      return `check ${access.name}`;
  }
}

/** Says in words which objects are there for whom. */
export function describeVisible({ field, is, unless }: ContractVisibility): string {
  const there = `objects whose ${field.join(".")} is ${[...is].map((value) => JSON.stringify(value)).join(" or ")}`;
  return unless === undefined ? there : `${there}; all of them for ${describeAccess(unless)}`;
}
