import type { ContractRoute } from "../../contract/index.ts";
import { untriedFields } from "./absent-fields.ts";
import { mutateBody } from "./body.ts";
import { mutateForm } from "./form.ts";
import { mutateCookies, mutateHeaders } from "./headers.ts";
import { mutateCounts } from "./counts.ts";
import { mutateParams, mutateQuery } from "./target.ts";
import type { AuditInput } from "../plan/plan.ts";

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
  headers?: readonly (readonly [string, string])[];
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

/** A mutant, with the option of the route that declares what was changed. */
export interface PlacedMutant extends Mutant {
  promise: "params" | "query" | "headers" | "body";
}

/** Every mutation of a route's input. What the contract's own schema turns out to accept is left out: it proves nothing. */
export function mutate(route: ContractRoute, input: AuditInput): PlacedMutant[] {
  const of = (promise: PlacedMutant["promise"], mutants: Iterable<Mutant>): PlacedMutant[] =>
    [...mutants].map((mutant) => ({ ...mutant, promise }));
  return [
    ...of("params", mutateParams(route, input)),
    ...of("query", mutateQuery(route, input)),
    ...of("headers", mutateHeaders(route, input)),
    ...of("headers", mutateCookies(route, input)),
    ...of(
      "body",
      route.bodyType === "form"
        ? mutateForm(route, input)
        : [...mutateBody(route, input), ...mutateCounts(route, input)],
    ),
  ];
}

/** Names the fields of a body that a sample leaves out and that were too many to be tried. */
export const leftOut = ({ body, bodyType }: ContractRoute, input: AuditInput): string[] =>
  body === undefined || bodyType === "form" ? [] : untriedFields(body, input.body);
