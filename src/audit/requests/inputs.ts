import { z } from "zod";
import { accessParts, keyAccess } from "../../contract/index.ts";
import type { Access, ContractRoute, Schema } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import { formOf, lowerCased, queryOf } from "./input-values.ts";
import { noPlan } from "../plan/no-plan.ts";
import type { AuditCaller, AuditInput, AuditOwnedInput, AuditSample } from "../plan/plan.ts";

/** Somebody whom the contract lets call a route, and what with. */
export interface HonestCall {
  /** Name of the identity; undefined for a visitor without a token. */
  as: string | undefined;
  input: AuditOwnedInput;
  /** The plan names an object of this identity's own; otherwise the path alone says whose it is. */
  hasObject: boolean;
}

/** Tells whether the contract lets an identity call a route at all; whose object it may ask for is another question. */
export function mayCall({ plan }: AuditContext, { access }: ContractRoute, name: string): boolean {
  const identity = plan.identities?.[name];
  if (identity === undefined) return access.kind === "everyone";
  const asked = "apiKey" in identity ? keyAccess(access) : access;
  return asked !== undefined && mayBe(asked, identity);
}

/** Tells whether what is true of a caller satisfies a condition, of objects that are its own. */
export function mayBe(access: Access, caller: AuditCaller | undefined): boolean {
  switch (access.kind) {
    case "role":
      return caller?.roles?.includes(access.role) === true;
    case "scope":
      return caller?.scopes?.includes(access.scope) === true;
    case "tenant":
      return caller?.tenant !== undefined;
    case "allOf":
      return access.of.every((part) => mayBe(part, caller));
    case "anyOf":
      return access.of.some((part) => mayBe(part, caller));
    default:
      return true;
  }
}

/** Conditions on whose an object is. */
const ownership: ReadonlySet<Access["kind"]> = new Set(["owner", "ownerField", "ownerLookup"]);

/** Whether a route asks, among other conditions or alone, whose an object is. */
export const asksWhose = ({ access }: ContractRoute): boolean =>
  accessParts(access).some(({ kind }) => ownership.has(kind));

/** Tells whether what is true of a caller satisfies a condition even of objects that are somebody else's. */
export function mayTouchOthers(access: Access, caller: AuditCaller | undefined): boolean {
  if (access.kind === "allOf") return access.of.every((part) => mayTouchOthers(part, caller));
  if (access.kind === "anyOf") return access.of.some((part) => mayTouchOthers(part, caller));
  return !ownership.has(access.kind) && mayBe(access, caller);
}

/**
 * Everybody in the plan whom the contract lets call a route, with input that the contract accepts. Empty: see {@link lacking}.
 *
 * @param from default: the plan's sample for the route
 */
export function honestCalls(context: AuditContext, route: ContractRoute, from?: AuditSample): HonestCall[] {
  if (lacksSigner(context, route)) return [];
  const sample = from ?? context.plan.samples?.[route.key];
  if (route.access.kind === "everyone") {
    const input = inputFor(context, route, sample, undefined);
    return input === undefined ? [] : [{ as: undefined, input, hasObject: false }];
  }
  return Object.keys(context.plan.identities ?? {})
    .filter((name) => mayCall(context, route, name))
    .flatMap((name) => {
      const input = inputFor(context, route, sample, name);
      return input === undefined ? [] : [{ as: name, input, hasObject: sample?.as?.[name] !== undefined }];
    });
}

/** A route that takes only what is signed, and nobody to sign. */
const lacksSigner = ({ plan }: AuditContext, { key, webhook }: ContractRoute): boolean =>
  webhook !== undefined && plan.signatures?.[key] === undefined;

/** Says what the plan lacks for a route to be called. */
export function lacking(context: AuditContext, route: ContractRoute): string {
  if (Object.keys(context.plan).length === 0) return noPlan;
  if (lacksSigner(context, route))
    return `the plan's signatures don't say how the sender of ${route.key} signs`;
  const anyone = Object.keys(context.plan.identities ?? {}).some((name) => mayCall(context, route, name));
  if (route.access.kind !== "everyone" && !anyone) return `no identity in the plan may call ${route.key}`;
  return `no sample in the plan that ${route.key} accepts`;
}

function inputFor(
  context: AuditContext,
  route: ContractRoute,
  sample: AuditSample | undefined,
  name: string | undefined,
): AuditOwnedInput | undefined {
  const { access } = route;
  const own = name === undefined ? undefined : sample?.as?.[name];
  // What the answer says about its owner can't be guessed: without an object of its own an identity is not an owner.
  if (asksForOwnObject(access) && own === undefined) return undefined;
  const caller = name === undefined ? undefined : context.plan.identities?.[name];
  const input: AuditOwnedInput = {
    ...sample,
    ...own,
    body: fresh(own !== undefined && "body" in own ? own.body : sample?.body),
    params: {
      ...fresh(sample?.params),
      ...ownParams(access, caller),
      ...fresh(own?.params),
    },
  };
  return accepts(route, input) ? input : undefined;
}

/** Whether nobody passes but the owner of an object that no path names, or whom a check of the contract's own lets pass. */
function asksForOwnObject(access: Access): boolean {
  if (access.kind === "allOf") return access.of.some(asksForOwnObject);
  if (access.kind === "anyOf") return access.of.every(asksForOwnObject);
  return access.kind === "ownerField" || access.kind === "ownerLookup" || access.kind === "check";
}

/** The path's parameters that say whose something is, for what is a caller's own. */
function ownParams(access: Access, caller: AuditCaller | undefined): Record<string, string> {
  if (caller === undefined) return {};
  return Object.fromEntries(
    accessParts(access).flatMap((part): [string, string][] => {
      if (part.kind === "owner") return [[part.param, caller.subject]];
      return part.kind === "tenant" && caller.tenant !== undefined ? [[part.param, caller.tenant]] : [];
    }),
  );
}

/** What a plan says, or what its function makes for this request. */
const fresh = <Value>(made: Value): Exclude<Value, (...of: never) => unknown> =>
  typeof made === "function" ? (made as () => never)() : (made as never);

/** Tells whether the contract accepts an input. */
function accepts(route: ContractRoute, input: AuditInput): boolean {
  const fits = (schema: Schema | undefined, value: unknown): boolean =>
    schema === undefined || z.safeParse(schema, value).success;
  const isNamed = (schema: Schema | undefined, given: object | undefined): boolean =>
    schema !== undefined || Object.keys(given ?? {}).length === 0;
  const { query, params, headers, cookies, body } = route;
  return (
    isNamed(query, input.query) &&
    isNamed(headers, input.headers) &&
    isNamed(cookies, input.cookies) &&
    fits(query, queryOf(route, input)) &&
    fits(params, input.params ?? {}) &&
    fits(headers, lowerCased(input.headers)) &&
    fits(cookies, { ...input.cookies }) &&
    fits(body, route.bodyType === "form" ? formOf(route, input) : input.body)
  );
}
