import { accessParts, describeAccess } from "../../contract/index.ts";
import type { Access, ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "./explain.ts";

/** Who may call a route, in words: what a request tells by itself, what is asked before its body is read, then before it is sent, what its answer tells. */
export interface AccessSteps {
  readonly known: RouteStep;
  readonly beforeBody: readonly RouteStep[];
  readonly beforeSending: readonly RouteStep[];
  readonly inAnswer: readonly RouteStep[];
}

/** Says who may call a route, each condition where it is decided. */
export function explainAccess({ access, hide, to }: ContractRoute): AccessSteps {
  const parts = accessParts(access);
  const refused = hide === true ? "404 GATEWAY_NOT_FOUND" : "403 GATEWAY_ACCESS_REFUSED";
  const of = <Kind extends Access["kind"]>(kind: Kind): Extract<Access, { kind: Kind }>[] =>
    parts.filter((part): part is Extract<Access, { kind: Kind }> => part.kind === kind);
  // In a choice another condition may do.
  const orElse = parts.length > 1 ? ", if that decides" : "";
  const checks = of("check").map(({ name, body, timeoutMs }) => ({
    body,
    step: {
      check: "check",
      passes: `"${name}" says true${body ? " of the body" : ""} within ${timeoutMs} ms${orElse}`,
      otherwise: refused,
    },
  }));
  const lookups = of("ownerLookup").map(({ get, field, from, ifMatch }) => ({
    check: "look-up",
    passes: `GET ${get} of ${from ?? to} names the caller as ${field}${ifMatch === true ? ", and has an ETag for If-Match" : ""}${orElse}`,
    otherwise: `${refused}; 503 GATEWAY_UPSTREAM_UNAVAILABLE, 504 GATEWAY_UPSTREAM_TIMEOUT`,
  }));
  const isLate = ({ kind }: Access): boolean =>
    kind === "ownerField" || kind === "ownerLookup" || kind === "check";
  const late = parts.filter(isLate).length;
  return {
    known: {
      check: "access",
      passes: `${describeAccess(access)}${late === 0 ? "" : `; ${late === parts.length ? "decided" : "what is not known yet is decided"} below`}`,
      otherwise: access.kind === "everyone" || late === parts.length ? "never refuses" : refused,
    },
    beforeBody: checks.flatMap(({ body, step }) => (body ? [] : [step])),
    beforeSending: [...checks.flatMap(({ body, step }) => (body ? [step] : [])), ...lookups],
    inAnswer: of("ownerField")
      .slice(0, 1)
      .map(({ field }) => ({
        check: "ownership",
        passes: `the answer, or each element of its list, names the caller as ${field}${orElse}`,
        otherwise: "404 GATEWAY_NOT_FOUND",
      })),
  };
}
