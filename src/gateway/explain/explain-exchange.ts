import { memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "./explain.ts";

/** Says which headers and cookies a route's requests may bring, if any. */
export function explainHeaders({ headers, cookies }: ContractRoute): RouteStep | false {
  const names = [
    ...(headers === undefined ? [] : memberNames(headers)),
    ...(cookies === undefined ? [] : memberNames(cookies).map((name) => `cookie ${name}`)),
  ];
  return (
    names.length > 0 && {
      check: "headers",
      passes: `${names.join(", ")}; no other goes on`,
      otherwise: "400 GATEWAY_INPUT_INVALID",
    }
  );
}

/** Says what a route's body must be. */
export function explainBody({ body, bodyType, maxBodyBytes, jsonLimits }: ContractRoute): RouteStep {
  if (body === undefined) return { check: "body", passes: "none", otherwise: "400 GATEWAY_BODY_UNEXPECTED" };
  const { depth, members, elements, textLength } = jsonLimits;
  const what =
    bodyType === "form"
      ? "application/x-www-form-urlencoded"
      : `application/json (${depth} levels, ${members} members, ${elements} elements, texts of ${textLength}; no number that would be rounded)`;
  return {
    check: "body",
    passes: `${what} of at most ${maxBodyBytes} bytes, as its schema says, no key twice`,
    otherwise:
      "415 GATEWAY_MEDIA_TYPE_REFUSED, 413 GATEWAY_BODY_TOO_LARGE, 408 GATEWAY_BODY_TIMEOUT, 400 GATEWAY_INPUT_INVALID",
  };
}

/** Says what may leave of an answer. */
export function explainAnswer(route: ContractRoute): RouteStep[] {
  const { responseHeaders, errors, etag } = route;
  const headers = [...responseHeaders.keys(), ...(etag ? ["etag, of what leaves"] : [])];
  const refusals = [...errors.keys()];
  const steps: (RouteStep | false)[] = [
    refusals.length > 0 && {
      check: "refusal",
      passes: `${refusals.join(", ")} of the upstream, as their schemas say`,
      otherwise: "422 GATEWAY_UPSTREAM_REFUSED, 502 GATEWAY_ANSWER_INVALID",
    },
    headers.length > 0 && {
      check: "answer's headers",
      passes: headers.join(", "),
      otherwise: "502 GATEWAY_ANSWER_INVALID",
    },
    { check: "answer", passes: whatLeaves(route), otherwise: whatElse(route) },
  ];
  return steps.filter((step) => step !== false);
}

function whatLeaves({ response, stream }: ContractRoute): string {
  switch (stream?.kind) {
    case "events":
      return `events ${[...stream.events.keys()].join(", ")}, each as its schema says; others are left out and named in the ledger`;
    case "download":
      return `a file of type ${stream.types.join(" or ")}, at most ${stream.maxBytes} bytes, to be saved and not shown`;
    case undefined:
      return response === undefined
        ? "no body leaves"
        : "as its schema says; undeclared fields are dropped and named in the ledger";
  }
}

const whatElse = ({ stream }: ContractRoute): string =>
  stream === undefined
    ? "502 GATEWAY_ANSWER_INVALID"
    : "502 GATEWAY_ANSWER_INVALID before it begins, then it is cut; 503 GATEWAY_STREAMS_EXHAUSTED";
