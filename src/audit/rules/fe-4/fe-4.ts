import { baseSecurityHeaders } from "../../../contract/index.ts";
import { CurtainwallError } from "../../../shared/index.ts";
import type { Check, Rule } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { parsePolicy } from "../../answers/policy.ts";
import type { Exchange, ProbeResponse, Protocol } from "../../probes/probe.ts";
import { describeServed } from "../../answers/served-release.ts";
import { answers } from "./answers.ts";
import type { AnswerClass } from "./answer-class.ts";
import { see } from "../shared.ts";

const safeReferrers = new Set([
  "no-referrer",
  "same-origin",
  "strict-origin",
  "strict-origin-when-cross-origin",
]);

/**
 * What each header must say, and that it is there: said here once more, since what a stack sends and what it is held to must not be one list that
 * loses a line.
 */
const demands: Readonly<Record<string, (value: string, context: AuditContext) => boolean>> = {
  "content-security-policy": (value) =>
    parsePolicy(value).has("default-src") || parsePolicy(value).has("script-src"),
  "strict-transport-security": (value) => Number(/max-age="?(\d{1,12})/i.exec(value)?.[1]) >= 31_536_000,
  "x-content-type-options": (value) => value.toLowerCase() === "nosniff",
  "x-frame-options": (value) => /^(deny|sameorigin)$/i.test(value),
  "referrer-policy": (value) =>
    value.split(",").every((part) => safeReferrers.has(part.trim().toLowerCase())),
  "permissions-policy": (value) => watching.every((feature) => isKept(value, feature)),
  "cross-origin-opener-policy": (value) => value === "same-origin",
  "cross-origin-resource-policy": (value, { contract }) =>
    value === "same-origin" ||
    value === "same-site" ||
    (value === "cross-origin" && contract.corsOrigins.length > 0),
  "origin-agent-cluster": (value) => value === "?1",
};

/** What a page could watch its visitor with. */
const watching = ["camera", "microphone", "geolocation"] as const;

/** Denied, or kept to pages that are named: what is not spoken of, every page of the origin may ask for. */
const isKept = (policy: string, feature: string): boolean =>
  policy.split(/,(?![^(]*\))/).some((part) => new RegExp(`^\\s*${feature}=\\([^*]*\\)\\s*$`).test(part));

const required = [...new Set([...Object.keys(demands), ...baseSecurityHeaders.map(([name]) => name)])];

/** Lists what is missing or weak among an answer's security headers. */
function headerFaults(context: AuditContext, response: ProbeResponse): string[] {
  return required.flatMap((name) => {
    const values = response.headers.filter(([header]) => header === name).map(([, value]) => value);
    if (values.length === 0) return [`${name} is missing`];
    const weak = values.find((value) => demands[name]?.(value, context) === false);
    if (weak !== undefined) return [`${name} is "${weak}"`];
    return values.length > 1 && name !== "content-security-policy"
      ? [`${name} is sent ${values.length} times`]
      : [];
  });
}

function headersOn(answer: AnswerClass, protocol: Protocol): Check {
  return {
    name: `${answer.name} (${protocol === "h2" ? "HTTP/2" : "HTTP/1.1"})`,
    kind: "live",
    attack: { kind: "headers", promise: "origin", per: "site" },
    isActive: answer.isActive,
    notApplicable: (context) =>
      answer.notApplicable?.(context) ?? (protocol === "h2" ? withoutTls(context) : undefined),
    run: async (context, tally) => {
      if (!context.protocols.includes(protocol)) return tally.miss("the target does not speak HTTP/2");
      const leftOut = answer.leftOut?.(context);
      if (leftOut !== undefined) tally.miss(leftOut);
      const answered = await answer.get(context, protocol);
      if (typeof answered === "string") return tally.miss(answered);
      for (const exchange of [answered].flat()) {
        const { status } = exchange.response;
        if (!answer.statuses.includes(status)) return unexpected(answer, exchange);
        const faults = headerFaults(context, exchange.response);
        tally.expect(
          faults.length === 0,
          see(
            context,
            `${answer.name}: ${faults.length === 0 ? "all security headers" : faults.join(", ")}${await servedName(context)}`,
            exchange,
          ),
        );
      }
    },
  };
}

/** The address says so. That a target over https speaks no HTTP/2 is its own word, and leaves the check missing. */
const withoutTls = ({ target }: AuditContext): string | undefined =>
  target.protocol === "http:" ? "over http there is no HTTP/2 for browsers" : undefined;

/** Names the release that answers, since headers come from it. */
async function servedName(context: AuditContext): Promise<string> {
  const { release } = context;
  return release === undefined ? "" : ` (${describeServed(await context.servedRelease(), release)})`;
}

function unexpected(answer: AnswerClass, { response }: Exchange): never {
  throw new CurtainwallError(
    "AUDIT_ANSWER_INVALID",
    `the answer was ${response.status} where ${answer.statuses.join(" or ")} was to be looked at`,
  );
}

/** FE-4: security headers. */
export const fe4: Rule = {
  id: "FE-4",
  checks: answers.flatMap((answer) => [headersOn(answer, "http/1.1"), headersOn(answer, "h2")]),
};
