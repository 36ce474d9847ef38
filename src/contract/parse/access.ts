import type { Access } from "../access.ts";
import { paramNames } from "../path.ts";
import type { RouteKeyParts } from "../path.ts";
import type { Problems } from "./problems.ts";
import { isMembers, quote } from "./values.ts";

const accessKinds = new Set(["everyone", "signedIn", "role", "owner", "ownerField"]);
const refused: Access = { kind: "role", role: "" };

/** Reads who may call a route. */
export function parseAccess(
  problems: Problems,
  where: string,
  value: unknown,
  parts: RouteKeyParts,
  hasIdentity: boolean,
): Access {
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say who may call it.`,
      'Add  access: everyone,   // or signedIn, role("…"), owner("…"), ownerField("…")',
    );
    return refused;
  }
  if (!isMembers(value) || typeof value.kind !== "string" || !accessKinds.has(value.kind)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: access must be everyone, signedIn, role("…"), owner("…") or ownerField("…"), not ${quote(value)}.`,
    );
    return refused;
  }
  const access = value as Access;
  const params = paramNames(parts.segments);
  if (access.kind === "owner" && !params.includes(access.param)) {
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${where}: owner(${quote(access.param)}) names no parameter of the path.`,
      `Parameters: ${params.join(", ") || "none"}`,
    );
  }
  if (access.kind === "ownerField" && parts.method !== "GET") {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: ownerField() reads the answer, and by then a ${parts.method} has happened.`,
      'Use  access: owner("…")  or  role("…")',
    );
  }
  if (
    (access.kind === "role" && !isName(access.role, /./)) ||
    (access.kind === "ownerField" && !isName(access.field, /^[\w-]+(\.[\w-]+)*$/))
  ) {
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${access.kind}() needs a name.`);
  }
  if (access.kind !== "everyone" && !hasIdentity) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} needs to know who calls, and the contract names no issuer of tokens.`,
      'Add  identity: { issuer: "https://login.example.com/", audience: "…" },',
    );
  }
  return access;
}

const isName = (value: unknown, grammar: RegExp): boolean => typeof value === "string" && grammar.test(value);
