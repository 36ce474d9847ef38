import type { ContractRoute } from "../contract/index.ts";
import { mutateBody } from "./mutate-body.ts";
import { mutateForm } from "./mutate-form.ts";
import { mutateCookies, mutateHeaders } from "./mutate-headers.ts";
import { mutateCounts } from "./mutate-counts.ts";
import { mutateParams, mutateQuery } from "./mutate-target.ts";
import type { AuditInput } from "./plan.ts";

/** Input that a route must refuse: an accepted one, changed in one place. */
export interface Mutant {
  /** What was changed, for the report. */
  name: string;
  /** What kind of change it is; the checks of API-3 are named after these. */
  kind: MutantKind;
  rawParams?: Record<string, string>;
  rawQuery?: string;
  rawHeaders?: readonly (readonly [string, string])[];
  rawCookie?: string;
  rawBody?: Uint8Array | string;
  contentType?: string | null;
  /** The one status that it must be refused with. Default: any 4xx. */
  status?: number;
}

export type MutantKind =
  | "type"
  | "bounds"
  | "missing key"
  | "extra key"
  | "duplicate key"
  | "prototype key"
  | "depth"
  | "counts"
  | "size"
  | "malformed"
  | "media type";

/** Every mutation of a route's input. What the contract's own schema turns out to accept is left out: it proves nothing. */
export function mutate(route: ContractRoute, input: AuditInput): Mutant[] {
  return [
    ...mutateParams(route, input),
    ...mutateQuery(route, input),
    ...mutateHeaders(route, input),
    ...mutateCookies(route, input),
    ...(route.bodyType === "form"
      ? mutateForm(route, input)
      : [...mutateBody(route, input), ...mutateCounts(route, input)]),
  ];
}
