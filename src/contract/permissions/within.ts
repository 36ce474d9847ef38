import { parseFailureLimit } from "../limits/failure-limit.ts";
import { parseLimit } from "../limits/limit.ts";
import type { Rate } from "../limits/limit.ts";
import { parsePace } from "../limits/pace.ts";
import { isPathWithin } from "../use-pattern.ts";
import type { Guards, PermittedUse, Permits, SchemaNode, VisibleGuard } from "./permission.ts";

type WebhookGuard = NonNullable<Guards["webhook"]>;

/** Whether all that one entry permits, another permits too. What can't be compared is not, nor what a lock has that nobody can read. */
export function isWithin(one: Permits, other: Permits): boolean {
  try {
    return compare(one, other);
  } catch {
    return false;
  }
}

function compare(one: Permits, other: Permits): boolean {
  if (typeof one === "string" || typeof other === "string") return one === other;
  if ("atMost" in one && "atMost" in other) return one.atMost <= other.atMost;
  if ("atLeast" in one && "atLeast" in other) return one.atLeast >= other.atLeast;
  if ("access" in one && "access" in other)
    return isAccessWithin(one.access as AnyAccess, other.access as AnyAccess);
  if ("option" in one && "option" in other)
    return JSON.stringify(one.option) === JSON.stringify(other.option);
  if ("limits" in one && "limits" in other) return isLimited(one.limits, other.limits, parseLimit);
  if ("guards" in one && "guards" in other) return isGuarded(one.guards, other.guards);
  if ("use" in one && "use" in other) return isUseWithin(one.use, other.use);
  if ("type" in one && "type" in other) return isNodeWithin(one, other);
  return false;
}

/** Kinds of access that only a subject who is signed in can have. */
const ofSignedIn = new Set(["role", "owner", "ownerField", "ownerLookup", "check"]);

interface AnyAccess {
  readonly kind?: unknown;
  readonly of?: readonly AnyAccess[];
}

/** A kind that is not known here is compared to the letter. */
function isAccessWithin(one: AnyAccess, other: AnyAccess): boolean {
  if (other.kind === "everyone" || JSON.stringify(one) === JSON.stringify(other)) return true;
  const { of: parts = [] } = one;
  const { of: others = [] } = other;
  if (one.kind === "anyOf") return parts.every((part) => isAccessWithin(part, other));
  if (other.kind === "allOf") return others.every((part) => isAccessWithin(one, part));
  return (
    (one.kind === "allOf" && parts.some((part) => isAccessWithin(part, other))) ||
    (other.kind === "anyOf" && others.some((part) => isAccessWithin(one, part))) ||
    (other.kind === "signedIn" && ofSignedIn.has(String(one.kind)))
  );
}

/** Whether each limit of the other is kept by one of these. */
function isLimited(
  ones: readonly string[],
  others: readonly string[],
  parse: (text: string) => Rate & { by: string; field?: readonly string[] },
): boolean {
  const parsed = ones.map(parse);
  return others
    .map(parse)
    .every((limit) =>
      parsed.some(
        (candidate) =>
          candidate.by === limit.by &&
          (candidate.field ?? []).join(".") === (limit.field ?? []).join(".") &&
          isSlower(candidate, limit),
      ),
    );
}

const isSlower = (one: Rate, other: Rate): boolean =>
  one.count / one.windowSeconds <= other.count / other.windowSeconds && one.burst <= other.burst;

function isGuarded(one: Guards, other: Guards): boolean {
  return (
    (other.pace === undefined || (one.pace !== undefined && isPaced(one.pace, other.pace))) &&
    (other.concurrency === undefined || (one.concurrency ?? Infinity) <= other.concurrency) &&
    (other.failures === undefined ||
      (one.failures !== undefined &&
        other.failures.statuses.every((status) => one.failures?.statuses.includes(status)) &&
        isLimited(one.failures.limits, other.failures.limits, parseFailureLimit))) &&
    Object.entries(other.spends ?? {}).every(([budget, cost]) => (one.spends?.[budget] ?? 0) >= cost) &&
    (other.createsSession !== true || one.createsSession === true) &&
    (other.visible === undefined || (one.visible !== undefined && isHidden(one.visible, other.visible))) &&
    (other.hide !== true || one.hide === true) &&
    (other.check === undefined || one.check === other.check) &&
    (other.dpop !== "required" || one.dpop === "required") &&
    (other.ownAuthority !== true || one.ownAuthority === true) &&
    (other.webhook === undefined || (one.webhook !== undefined && isSigned(one.webhook, other.webhook))) &&
    (other.rotateEveryDays === undefined || (one.rotateEveryDays ?? Infinity) <= other.rotateEveryDays) &&
    (other.instances === undefined || (one.instances ?? 1) >= other.instances) &&
    (other.witness !== true || one.witness === true)
  );
}

const isSigned = (one: WebhookGuard, other: WebhookGuard): boolean =>
  one.scheme === other.scheme &&
  one.secret === other.secret &&
  one.toleranceSeconds <= other.toleranceSeconds;

function isUseWithin(one: PermittedUse, other: PermittedUse): boolean {
  const isPartWithin = (part: SchemaNode | undefined, whole: SchemaNode | undefined): boolean =>
    whole === undefined || (part !== undefined && isNodeWithin(part, whole));
  const segments = (path: string): string[] => (path === "/" ? [] : path.slice(1).split("/"));
  return (
    isPathWithin(segments(one.path), segments(other.path)) &&
    isPartWithin(one.query, other.query) &&
    isPartWithin(one.body, other.body)
  );
}

/** Whether one shows nothing that the other hides. */
const isHidden = (one: VisibleGuard, other: VisibleGuard): boolean =>
  one.field === other.field &&
  one.in === other.in &&
  one.is.every((value) => other.is.includes(value)) &&
  (one.unless === undefined ||
    (other.unless !== undefined && isAccessWithin(one.unless as AnyAccess, other.unless as AnyAccess)));

function isPaced(one: string, other: string): boolean {
  const [pace, otherPace] = [parsePace(one), parsePace(other)];
  return pace.by === otherPace.by && isSlower(pace, otherPace);
}

function isNodeWithin(one: SchemaNode, other: SchemaNode): boolean {
  if (JSON.stringify(one) === JSON.stringify(other)) return true;
  if (!isWrapWithin(one, other)) return false;
  if (JSON.stringify(one.changes) !== JSON.stringify(other.changes)) return false;
  // A part that takes less leaves more values that one part alone takes.
  if (one.type === "xor" || other.type === "xor") return false;
  if (isPlainUnion(other) && partsOf(other).some((part) => isNodeWithin({ ...one, required: true }, part)))
    return true;
  if (isPlainUnion(one))
    return partsOf(one).every((part) => isNodeWithin({ ...part, required: true }, other));
  return (
    takesAnything(other) ||
    isValueOf(one, other) ||
    (one.type === other.type &&
      isBounded(one, other) &&
      (other.also ?? []).every((check) => one.also?.includes(check)) &&
      (other.values === undefined || (one.values ?? []).every((value) => other.values?.includes(value))) &&
      arePartsWithin(one, other) &&
      isInnerWithin(one, other))
  );
}

const isPlainUnion = (node: SchemaNode): boolean => node.type === "union" && isPlain(node);

/** What a union says of null is true of each part; whether it must be there was compared for it as a whole. */
const partsOf = ({ parts = [], nullable }: SchemaNode): SchemaNode[] =>
  parts.map((part) => (nullable === true ? { ...part, nullable } : part));

const isPlain = ({ also, changes, min, max, above, below }: SchemaNode): boolean =>
  also === undefined &&
  changes === undefined &&
  [min, max, above, below].every((bound) => bound === undefined);

const isWrapWithin = (one: SchemaNode, other: SchemaNode): boolean =>
  (other.required !== true || one.required === true) &&
  (one.nullable !== true || other.nullable === true) &&
  (one.coerce !== true || other.coerce === true);

const takesAnything = (node: SchemaNode): boolean =>
  (node.type === "any" || node.type === "unknown") && isPlain(node);

/** Exact values, where the other takes all of their type. */
function isValueOf(one: SchemaNode, other: SchemaNode): boolean {
  if (one.type !== "values" || !["string", "number", "boolean"].includes(other.type)) return false;
  if (!isPlain(other)) return false;
  return (one.values ?? []).every((value) => typeof JSON.parse(value) === other.type);
}

function isBounded(one: SchemaNode, other: SchemaNode): boolean {
  const low = (node: SchemaNode): Bound | undefined => strictest(node.min, node.above, (a, b) => a > b);
  const high = (node: SchemaNode): Bound | undefined => strictest(node.max, node.below, (a, b) => a < b);
  return (
    isBoundKept(low(one), low(other), (a, b) => a > b) && isBoundKept(high(one), high(other), (a, b) => a < b)
  );
}

interface Bound {
  readonly value: number | string;
  /** The value itself does not pass. */
  readonly isOpen: boolean;
}

type Order = (a: number | string, b: number | string) => boolean;

function strictest(
  closed: number | string | undefined,
  open: number | string | undefined,
  isStricter: Order,
): Bound | undefined {
  if (open === undefined) return closed === undefined ? undefined : { value: closed, isOpen: false };
  return closed !== undefined && isStricter(closed, open)
    ? { value: closed, isOpen: false }
    : { value: open, isOpen: true };
}

function isBoundKept(one: Bound | undefined, other: Bound | undefined, isStricter: Order): boolean {
  if (other === undefined) return true;
  if (one === undefined || typeof one.value !== typeof other.value) return false;
  if (one.value === other.value) return one.isOpen || !other.isOpen;
  return isStricter(one.value, other.value);
}

/** Of a tuple, a pipe and an intersection, part by part. */
function arePartsWithin({ parts = [] }: SchemaNode, { parts: others = [] }: SchemaNode): boolean {
  return (
    parts.length === others.length &&
    parts.every((part, index) => {
      const other = others[index];
      return other !== undefined && isNodeWithin(part, other);
    })
  );
}

function isInnerWithin(one: SchemaNode, other: SchemaNode): boolean {
  const { members = {}, element } = one;
  const { members: others = {}, element: otherElement } = other;
  const isElementWithin =
    element === undefined || (otherElement !== undefined && isNodeWithin(element, otherElement));
  return (
    isElementWithin &&
    Object.entries(members).every(([name, member]) => {
      const known = Object.hasOwn(others, name) ? others[name] : undefined;
      return known !== undefined && isNodeWithin(member, known);
    }) &&
    Object.entries(others).every(([name, { required }]) => required !== true || Object.hasOwn(members, name))
  );
}
