import type { JsonValue } from "../source.ts";

/** One thing that a contract permits. */
export interface Permission {
  /** Where it stands: `GET /api/orders/:id access`, `POST /api/orders body/items/[]/quantity`, `cors`. */
  readonly at: string;
  /** What is permitted there, as `curtainwall.lock.json` writes it. */
  readonly permits: Permits;
}

/** A member decides how two are compared; see `isWithin`. */
export type Permits =
  /** This and nothing else: an origin, an address, the name of an option. */
  | string
  /** Larger permits more. */
  | { readonly atMost: number }
  /** Less permits more. */
  | { readonly atLeast: number }
  | { readonly access: JsonValue }
  /** Of an option that is compared to the letter: whatever changes in it, its absence too, may permit more. */
  | { readonly option: JsonValue }
  /** All of these apply. */
  | { readonly limits: readonly string[] }
  /** What holds a route back beside its limits; the fewer, the more is permitted. */
  | { readonly guards: Guards }
  /** Of a method and an origin: which paths, with which query and body. */
  | { readonly use: PermittedUse }
  | SchemaNode;

/** Options of a route, or of the contract, that refuse something, and that it may lack. */
export interface Guards {
  readonly pace?: string;
  readonly concurrency?: number;
  readonly failures?: { readonly limits: readonly string[]; readonly statuses: readonly number[] };
  /** Costs by budget. */
  readonly spends?: Readonly<Record<string, number>>;
  readonly createsSession?: true;
  readonly visible?: VisibleGuard;
  readonly hide?: true;
  /** The text of a check that `access` names. Where the lock's access does not name it, any is within what it grants. */
  readonly check?: string;
  /** Of the identity. */
  readonly dpop?: "required";
  /** Of the identity or an upstream: its certificate is of a `caFile`; without it, all that the system trusts are believed. */
  readonly ownAuthority?: true;
  /** Nothing reaches the route but what this secret signed, so many seconds ago at most. */
  readonly webhook?: { readonly scheme: string; readonly secret: string; readonly toleranceSeconds: number };
  /** Of a secret: how old a version may become. */
  readonly rotateEveryDays?: number;
  /** Of where hosts count together: how many share what is permitted while it is lost. Without it each permits all of it. */
  readonly instances?: number;
  /** Of the vault or the log: something elsewhere remembers how far it got. */
  readonly witness?: true;
}

/** Requests to a service. */
export interface PermittedUse {
  /** `/v1/*` */
  readonly path: string;
  /** Absent: any. */
  readonly query?: SchemaNode;
  /** Absent: any. */
  readonly body?: SchemaNode;
}

/** Which objects are there for whom. */
export interface VisibleGuard {
  readonly field: string;
  readonly is: readonly (string | number | boolean)[];
  readonly in?: string;
  readonly unless?: JsonValue;
}

/** What a schema lets pass. What lies below is in entries of its own, or, inside of a union, in `members` and `element`. */
export interface SchemaNode {
  /** `string`, `number`, `object`, `array`, `values`, `union`, `none` … */
  readonly type: string;
  /** Of what is sent: the member must be there. Not said of answers. */
  readonly required?: true;
  readonly nullable?: true;
  /** Texts are read as this type. */
  readonly coerce?: true;
  /** The least number, length, or count. */
  readonly min?: number | string;
  /** The bound itself does not pass. */
  readonly above?: number | string;
  readonly max?: number | string;
  readonly below?: number | string;
  /** Everything else that is checked: formats, patterns, functions by their text. */
  readonly also?: readonly string[];
  /** All checks in their order, where one of them changes the value for those after it. */
  readonly changes?: readonly string[];
  /** Of `values`: literals and members of an enum, each as JSON. */
  readonly values?: readonly string[];
  readonly members?: Readonly<Record<string, SchemaNode>>;
  readonly element?: SchemaNode;
  /** Of a union, or what an intersection, a tuple or a pipe is made of. */
  readonly parts?: readonly SchemaNode[];
}

/** A permission that was approved, or at least recorded: a line of the lock. */
export interface LockedPermission extends Permission {
  /** The day it came into the lock: `2026-11-22`. */
  readonly recorded: string;
  /** The day somebody approved it. Without it the first run found it, and nobody has looked. */
  readonly approved?: string;
  /** Why. There with `approved`. */
  readonly reason?: string;
}
