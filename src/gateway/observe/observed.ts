import type { ContractRoute } from "../../contract/index.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { BodyCheck, CheckedBody } from "../input/body.ts";
import { isList } from "../input/headers.ts";
import type { CheckHeaders } from "../input/headers.ts";
import type { CheckTarget, JudgeValues } from "../input/target.ts";
import type { Observation } from "./observations.ts";
import { compileRawBody } from "./raw-body.ts";
import { compileRawHeaders } from "./raw-headers.ts";
import { compileRawTarget } from "./raw-target.ts";

/** A route's checks, put over those that enforce: where they would refuse, they tell and let pass as long as the route is observed. */
export interface Observed {
  readonly observation: Observation | undefined;
  overTarget(check: CheckTarget, judge: JudgeValues | undefined): CheckTarget;
  overHeaders(check: CheckHeaders | undefined): CheckHeaders | undefined;
  overBody(check: BodyCheck | undefined): BodyCheck | undefined;
  /** How a body is read that the route does not take; undefined: it is refused. */
  readonly unexpectedBody: (() => BodyCheck | undefined) | undefined;
  /** Lets pass what comes too often; undefined: nothing does. */
  readonly passesRate: (() => boolean) | undefined;
}

/** Compiles {@link Observed}. A route that is not observed has the checks that it had. */
export function compileObserved(route: ContractRoute, observation: Observation | undefined): Observed {
  if (observation === undefined) return enforced;
  const { isOn, note } = observation;
  const isLiftable = ({ code }: Refusal): boolean => code === "GATEWAY_INPUT_INVALID" && isOn();
  const rawBody = compileRawBody(route);

  function tell({ code, errors = [] }: Refusal): void {
    note(
      code,
      errors.map(({ pointer }) => pointer),
    );
  }

  /** What a schema refuses and every server reads alike passes. */
  function readRaw(bytes: Uint8Array, refusal: Refusal): CheckedBody {
    const raw = rawBody(bytes);
    if (raw === undefined) return { refusal, value: undefined };
    tell(refusal);
    return { refusal: undefined, value: raw.value };
  }

  const unexpectedCheck: BodyCheck = { isOfType: isJson, check: (bytes) => readRaw(bytes, unexpected) };

  return {
    observation,
    overTarget(check, judge) {
      const rawTarget = compileRawTarget(route, judge);
      return (values, query, passage) => {
        const target = check(values, query, passage);
        if (typeof target === "string" || !isLiftable(target)) return target;
        const raw = rawTarget(values, query, passage);
        if (raw !== undefined) tell(target);
        return raw ?? target;
      };
    },
    overHeaders(check) {
      if (check === undefined) return undefined;
      const rawHeaders = compileRawHeaders(route);
      return (request, passage) => {
        const headers = check(request, passage);
        if (isList(headers) || !isLiftable(headers)) return headers;
        const raw = rawHeaders(request);
        if (raw !== undefined) tell(headers);
        return raw ?? headers;
      };
    },
    overBody: (check) =>
      check && {
        isOfType: (request) => check.isOfType(request),
        check(bytes) {
          const body = check.check(bytes);
          return body.refusal === undefined || !isLiftable(body.refusal)
            ? body
            : readRaw(bytes, body.refusal);
        },
      },
    unexpectedBody: () => (isOn() && mayHaveBody.has(route.method) ? unexpectedCheck : undefined),
    passesRate() {
      if (!isOn()) return false;
      note("GATEWAY_LIMIT_REACHED", []);
      return true;
    },
  };
}

const mayHaveBody: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const unexpected: Refusal = { code: "GATEWAY_BODY_UNEXPECTED" };
const isJson: BodyCheck["isOfType"] = (request) =>
  /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(request.header("content-type") ?? "") &&
  (request.header("content-encoding") ?? "identity") === "identity";

const enforced: Observed = {
  observation: undefined,
  overTarget: (check) => check,
  overHeaders: (check) => check,
  overBody: (check) => check,
  unexpectedBody: undefined,
  passesRate: undefined,
};
