import { toBase64Url } from "../../shared/index.ts";
import type { AuditCaller } from "../plan/plan.ts";

type Header = readonly [name: string, value: string];

/**
 * Headers by which proxies tell the app behind them whom they have let in: from a client they are worth nothing. They don't contradict one another,
 * so that one request brings them all.
 *
 * @see the documentation of each: ALB user claims, Kong upstream headers, Cloudflare Access, Google's IAP, Azure's Easy Auth, oauth2-proxy, Authelia
 */
export function saysWho({ subject, roles = [] }: Pick<AuditCaller, "subject" | "roles">): Header[] {
  const groups = roles.join(",");
  return [
    ...named.map((name): Header => [name, subject]),
    // As Google writes them, with who it is that knows them before it.
    ...["id", "email"].map((what): Header => [
      `x-goog-authenticated-user-${what}`,
      `accounts.google.com:${subject}`,
    ]),
    ...(groups === "" ? [] : grouped.map((name): Header => [name, groups])),
  ];
}

const named = [
  // By hand, and CGI's.
  "x-user",
  "x-user-id",
  "x-remote-user",
  "remote-user",
  // oauth2-proxy, and those who took its names.
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-preferred-username",
  "x-auth-request-user",
  "x-auth-request-email",
  // Kong.
  "x-authenticated-userid",
  "x-consumer-username",
  "x-consumer-custom-id",
  "x-credential-identifier",
  // Load balancers of AWS and Azure, Cloudflare Access.
  "x-amzn-oidc-identity",
  "x-ms-client-principal-id",
  "x-ms-client-principal-name",
  "cf-access-authenticated-user-email",
] as const;

const grouped = ["x-forwarded-groups", "x-auth-request-groups", "remote-groups"] as const;

/** The same as tokens that nobody signed: whoever only reads them believes them. What looks at signatures may refuse them for it, so they come by themselves. */
export function saysWhoUnsigned({ subject, roles = [] }: Pick<AuditCaller, "subject" | "roles">): Header[] {
  const token = `${encode({ alg: "none", typ: "JWT" })}.${encode({ sub: subject, email: subject, roles, groups: roles })}.`;
  const principal = encode({ userId: subject, userDetails: subject, userRoles: roles });
  return [
    ...["x-amzn-oidc-data", "cf-access-jwt-assertion", "x-goog-iap-jwt-assertion"].map((name): Header => [
      name,
      token,
    ]),
    ["x-ms-client-principal", principal],
  ];
}

/** Base64 as tokens have it; a subject may be any text. */
const encode = (value: unknown): string => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));
