import type { Access } from "../access.ts";
import { accessParts } from "../access.ts";
import { keyAccess } from "../access/key-access.ts";
import type { ContractRoute, ContractVisibility } from "../contract/route.ts";
import type { JsonValue } from "../source.ts";
import type { Permission } from "./permission.ts";
import { toJson } from "./to-json.ts";
import { textOf } from "./schema-checks.ts";
import type { VisibleGuard } from "./permission.ts";

/**
 * Who may call a route: by token and, where the contract has API keys, by key. Checks of one's own stand there by name, and beside it by their
 * text: what else such a function calls, nobody can compare.
 */
export function accessPermissions({ key, access }: ContractRoute, hasKeys: boolean): Permission[] {
  const byKey = hasKeys ? keyAccess(access) : undefined;
  const found: Permission[] = [{ at: `${key} access`, permits: { access: accessJson(access) } }];
  if (byKey !== undefined)
    found.push({ at: `${key} access by API key`, permits: { access: accessJson(byKey) } });
  for (const part of accessParts(access))
    if (part.kind === "check")
      found.push({ at: `${key} check ${part.name}`, permits: { guards: { check: textOf(part.test) } } });
  return found;
}

/** Which objects are there for whom, as the lock writes it. */
export const visibleGuard = ({ field, is, unless, in: list }: ContractVisibility): VisibleGuard => ({
  field: field.join("."),
  is: [...is].sort((left, right) => (String(left) < String(right) ? -1 : 1)),
  ...(list === undefined ? {} : { in: list.join(".") }),
  ...(unless === undefined ? {} : { unless: accessJson(unless) }),
});

/** A condition as the lock writes it. How long a check may take permits nothing. */
function accessJson(access: Access): JsonValue {
  switch (access.kind) {
    case "allOf":
    case "anyOf":
      return { kind: access.kind, of: access.of.map(accessJson) };
    case "check":
      return { kind: "check", name: access.name };
    case "ownerLookup": {
      const { ifMatch, ...lookup } = access;
      return toJson(ifMatch === true ? access : lookup);
    }
    default:
      return toJson(access);
  }
}
