import type { Identity } from "../../contract/index.ts";
import type { Caller } from "../types.ts";
import type { Members } from "./token-form.ts";

/** What a verified token says, in the forms that later checks rely on. */
export interface TokenClaims {
  readonly caller: Caller;
  /** Thumbprint of the key that it is bound to; undefined: none. */
  readonly thumbprint: string | undefined;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** The first millisecond at which it counts, by the issuer's clock. */
  readonly notBeforeMs: number;
  /** The first millisecond at which it does not count any more. */
  readonly expiresMs: number;
}

/** What reading claims needs to know. */
export type ClaimRules = Pick<
  Identity,
  "issuer" | "audience" | "rolesClaim" | "tenantClaim" | "clockToleranceSeconds" | "dpop"
>;

/** The last second of the year 9999: what is later is no time, but a way to make a token last for ever. */
const lastSecond = 253_402_300_799;
const maxNameLength = 255;

/** A scope's letters (RFC 6749 §3.3). */
const scopeList = /^(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?$/;

/**
 * Reads the claims of a token whose signature and type were checked: whose it is, for whom, when it counts, and whom it speaks of. A claim of another
 * form than its specification has is a refusal: whoever reads it next might understand something else.
 *
 * @returns words that hold nothing of the token, if it is refused
 * @see RFC 7519 §4.1, RFC 9068 §2.2 and §4
 */
export function readClaims(payload: Members, rules: ClaimRules, nowMs: number): TokenClaims | string {
  const missing = required.find((name) => !Object.hasOwn(payload, name));
  if (missing !== undefined) return `it has no ${missing}`;
  const { iss, aud, exp, iat, nbf = 0 } = payload;
  if (iss !== rules.issuer) return "it is of another issuer (iss)";
  if (!isTime(exp)) return "its expiry is no time";
  if (!isTime(iat)) return "its time of issue is no time";
  if (!isTime(nbf)) return "its beginning is no time";
  // Whatever issued it in the future can't be told from whatever must be refused for its age.
  if (iat > nowMs / 1000 + rules.clockToleranceSeconds) return "it was issued in the future";
  const toleranceMs = rules.clockToleranceSeconds * 1000;
  if (nowMs >= exp * 1000 + toleranceMs) return "it has expired";
  if (nowMs < nbf * 1000 - toleranceMs) return "it does not count yet (nbf)";
  if (typeof aud !== "string" && !isTexts(aud)) return "its audience is no text and no list of texts";
  if (aud !== rules.audience && !(typeof aud === "object" && aud.includes(rules.audience)))
    return "it is for another audience (aud)";
  const bound = readBinding(payload, rules);
  if (typeof bound === "string") return bound;
  const caller = readCaller(payload, rules);
  if (typeof caller === "string") return caller;
  return {
    caller,
    thumbprint: bound.thumbprint,
    issuedAt: iat,
    notBeforeMs: Math.max(nbf, iat) * 1000,
    expiresMs: exp * 1000,
  };
}

const isTime = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= lastSecond;

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string");

const required = ["iss", "aud", "sub", "exp", "iat"] as const;

const isNameText = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= maxNameLength;

const thumbprintForm = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/**
 * The key that the token is bound to, if any. One that is bound to what nothing here checks (a key where the contract asks for no proofs, a
 * certificate) is refused: its issuer said that it is worth nothing by itself.
 *
 * @see RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1
 */
function readBinding(
  payload: Members,
  { dpop }: ClaimRules,
): { readonly thumbprint: string | undefined } | string {
  if (!Object.hasOwn(payload, "cnf")) return unbound;
  const { cnf } = payload as { cnf?: unknown };
  if (typeof cnf !== "object" || cnf === null || Array.isArray(cnf)) return "it is bound to nothing readable";
  const { jkt, ...others } = cnf as Record<string, unknown>;
  if (dpop === undefined) return "it is bound to a key, and no proofs are checked";
  if (Object.keys(others).length > 0) return "it is bound to more than a key";
  return typeof jkt === "string" && thumbprintForm.test(jkt)
    ? { thumbprint: jkt }
    : "it is bound to no readable key";
}

const unbound = { thumbprint: undefined };

/** Who the token speaks of, or why it speaks of nobody. */
function readCaller(payload: Members, { rolesClaim, tenantClaim }: ClaimRules): Caller | string {
  // A payload is an object as JSON makes it: what a name inherits is nobody's claim.
  const claim = (name: string): unknown => (Object.hasOwn(payload, name) ? payload[name] : undefined);
  const subject = claim("sub");
  const roles = claim(rolesClaim) ?? [];
  const scope = claim("scope");
  const tenant = tenantClaim === undefined ? undefined : claim(tenantClaim);
  if (!isNameText(subject)) return "it names no subject";
  if (!isTexts(roles)) return `its claim "${rolesClaim}" is not a list of texts`;
  if (scope !== undefined && !(typeof scope === "string" && scopeList.test(scope)))
    return 'its claim "scope" is no list of scopes';
  if (tenant !== undefined && !isNameText(tenant)) return `its claim "${tenantClaim}" names no tenant`;
  return {
    subject,
    roles,
    ...(scope === undefined || scope === "" ? {} : { scopes: scope.split(" ") }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}
