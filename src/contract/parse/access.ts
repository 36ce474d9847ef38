import { accessParts } from "../access.ts";
import type { Access } from "../access.ts";
import { keyAccess } from "../access/key-access.ts";
import { paramNames } from "../path.ts";
import type { RouteKeyParts } from "../path.ts";
import { checkLookup } from "./owner-lookup.ts";
import { readCondition } from "./condition.ts";
import type { Problems } from "./problems.ts";
import { isUndecided } from "../undecided.ts";
import { isMembers, quote } from "./values.ts";

/** What an access refers to elsewhere in the contract. */
export interface AccessSurroundings {
  hasIdentity: boolean;
  hasKeys: boolean;
  /** Whether tokens name a tenant. */
  hasTenants: boolean;
  upstreams: ReadonlyMap<string, unknown>;
}

const refused: Access = { kind: "role", role: "" };
const maxLevels = 5;
const maxMembers = 10;

/** Reads who may call a route. */
export function parseAccess(
  problems: Problems,
  where: string,
  value: unknown,
  parts: RouteKeyParts,
  surroundings: AccessSurroundings,
): Access {
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say who may call it.`,
      'Add  access: everyone,   // or signedIn, role("…"), scope("…"), owner("…"), ownerField("…")',
    );
    return refused;
  }
  if (isUndecided(value)) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where}: nobody has decided who may call it.`,
      'Write  access: everyone,   or signedIn, role("…"), scope("…"), owner("…")',
    );
    return refused;
  }
  const access = readAccess(problems, where, value, 1);
  if (access === undefined) return refused;
  const found = accessParts(access);
  for (const part of found) checkPart(problems, where, part, parts, surroundings);
  checkTogether(problems, where, access, found);
  checkCaller(problems, where, access, surroundings);
  return access;
}

/** The same as {@link parseAccess}, for a condition that stands elsewhere than in `access` and speaks of the caller alone. */
export function parseCallerCondition(
  problems: Problems,
  where: string,
  value: unknown,
  surroundings: AccessSurroundings,
): Access {
  const access = readAccess(problems, where, value, 1);
  if (access === undefined) return refused;
  const found = accessParts(access);
  for (const part of found)
    if (part.kind !== "role" && part.kind !== "scope" && part.kind !== "signedIn")
      problems.add("CONTRACT_OPTION_INVALID", `${where}: ${part.kind} says nothing of the caller alone.`);
  checkCaller(problems, where, access, { ...surroundings, hasKeys: false });
  return access;
}

function readAccess(problems: Problems, where: string, value: unknown, level: number): Access | undefined {
  if (!isMembers(value)) return readCondition(problems, where, value);
  const { kind, of } = value;
  if (kind !== "allOf" && kind !== "anyOf") return readCondition(problems, where, value);
  if (level >= maxLevels || !Array.isArray(of) || of.length < 2 || of.length > maxMembers)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: ${kind}() takes 2 to ${maxMembers} conditions, ${maxLevels - 1} inside one another at most.`,
    );
  const members = of.map((member) => readAccess(problems, where, member, level + 1));
  const read = members.filter((member) => member !== undefined);
  return read.length < of.length ? undefined : { kind, of: read };
}

function checkPart(
  problems: Problems,
  where: string,
  part: Access,
  parts: RouteKeyParts,
  { upstreams }: AccessSurroundings,
): void {
  const params = paramNames(parts.segments);
  if ((part.kind === "owner" || part.kind === "tenant") && !params.includes(part.param)) {
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${where}: ${part.kind}(${quote(part.param)}) names no parameter of the path.`,
      `Parameters: ${params.join(", ") || "none"}`,
    );
  }
  if (part.kind === "ownerField" && parts.method !== "GET") {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: ownerField() reads the answer, and by then a ${parts.method} has happened.`,
      'Use  access: ownerLookup({ get: "…", field: "…" })  or  owner("…")',
    );
  }
  if (part.kind === "ownerLookup") checkLookup(problems, where, part, params, upstreams);
}

/** What contradicts itself when it stands together. */
function checkTogether(problems: Problems, where: string, access: Access, found: readonly Access[]): void {
  if (access.kind !== "everyone" && found.some(({ kind }) => kind === "everyone"))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: everyone, together with other conditions, is all of them or none.`,
      "Write  access: everyone,   or leave it out",
    );
  if (mixesParamsAndAnswer(access))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: one anyOf() takes what the path says or what the answer says, not both.`,
      "Make two routes of it",
    );
  const fields = new Set(found.flatMap((part) => (part.kind === "ownerField" ? [part.field] : [])));
  if (fields.size > 1)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: one field of the answer says whose it is, not ${fields.size}.`,
    );
}

/** Whether some choice is between a parameter and the answer: what a schema makes of the one is not known any more when the other is there. */
function mixesParamsAndAnswer(access: Access): boolean {
  if (access.kind !== "allOf" && access.kind !== "anyOf") return false;
  const kinds = new Set(accessParts(access).map(({ kind }) => kind));
  if (access.kind === "anyOf" && kinds.has("ownerField") && (kinds.has("owner") || kinds.has("tenant")))
    return true;
  return access.of.some(mixesParamsAndAnswer);
}

function checkCaller(
  problems: Problems,
  where: string,
  access: Access,
  { hasIdentity, hasKeys, hasTenants }: AccessSurroundings,
): void {
  const canKnow = hasIdentity || (hasKeys && keyAccess(access) !== undefined);
  if (access.kind !== "everyone" && !canKnow) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} needs to know who calls, and the contract names no issuer of tokens.`,
      'Add  identity: { issuer: "https://login.example.com/", audience: "…" },',
    );
  } else if (accessParts(access).some(({ kind }) => kind === "tenant") && !hasTenants) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} needs to know a caller's tenant, and no claim names it.`,
      'Add to identity  tenantClaim: "org_id",',
    );
  }
}
