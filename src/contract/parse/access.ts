import { accessParts, keyAccess } from "../access.ts";
import type { Access } from "../access.ts";
import { paramNames } from "../path.ts";
import type { RouteKeyParts } from "../path.ts";
import type { Problems } from "./problems.ts";
import { isMembers, quote } from "./values.ts";
import type { Members } from "./values.ts";

/** What an access refers to elsewhere in the contract. */
export interface AccessSurroundings {
  hasIdentity: boolean;
  hasKeys: boolean;
  /** Whether tokens name a tenant. */
  hasTenants: boolean;
}

const refused: Access = { kind: "role", role: "" };
const maxLevels = 5;
const maxMembers = 10;

/** Names of conditions, as they are written, with what they are made of. */
const conditions: ReadonlyMap<string, { readonly member?: string; readonly grammar?: RegExp }> = new Map([
  ["everyone", {}],
  ["signedIn", {}],
  ["role", { member: "role", grammar: /./ }],
  // RFC 6749 §3.3
  ["scope", { member: "scope", grammar: /^[\x21\x23-\x5b\x5d-\x7e]+$/ }],
  ["owner", { member: "param" }],
  ["tenant", { member: "param" }],
  ["ownerField", { member: "field", grammar: /^[\w-]+(\.[\w-]+)*$/ }],
]);

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
  const access = readAccess(problems, where, value, 1);
  if (access === undefined) return refused;
  const found = accessParts(access);
  for (const part of found) checkPart(problems, where, part, parts);
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
    else checkName(problems, where, part);
  checkCaller(problems, where, access, { ...surroundings, hasKeys: false });
  return access;
}

function readAccess(problems: Problems, where: string, value: unknown, level: number): Access | undefined {
  const kind = isMembers(value) ? value.kind : undefined;
  if (kind === "allOf" || kind === "anyOf") {
    const { of } = value as Members;
    if (level >= maxLevels || !Array.isArray(of) || of.length < 2 || of.length > maxMembers)
      return problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}: ${kind}() takes 2 to ${maxMembers} conditions, ${maxLevels - 1} inside one another at most.`,
      );
    const members = of.map((member) => readAccess(problems, where, member, level + 1));
    return members.includes(undefined) ? undefined : { kind, of: members as Access[] };
  }
  if (typeof kind === "string" && conditions.has(kind)) return value as Access;
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}: access must be everyone, signedIn, role("…"), scope("…"), owner("…"), tenant("…"), ownerField("…"), or allOf(…) or anyOf(…) of them, not ${quote(value)}.`,
  );
}

function checkPart(problems: Problems, where: string, part: Access, parts: RouteKeyParts): void {
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
      'Use  access: owner("…")  or  role("…")',
    );
  }
  checkName(problems, where, part);
}

function checkName(problems: Problems, where: string, part: Access): void {
  const { member, grammar } = conditions.get(part.kind) ?? {};
  if (member === undefined || grammar === undefined) return;
  const name = (part as unknown as Members)[member];
  if (typeof name !== "string" || !grammar.test(name))
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${part.kind}() needs a name.`);
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
