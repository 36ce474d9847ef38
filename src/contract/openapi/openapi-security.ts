import { keyAccess } from "../access/key-access.ts";
import type { Access } from "../access.ts";
import type { Contract } from "../contract.ts";
import type { ContractRoute } from "../contract/route.ts";

type Json = Record<string, unknown>;
type Callers = Pick<Contract, "identity" | "apiKeys" | "sessions">;

/** How senders of webhooks say that it is they. */
const signatures = {
  standard: { name: "webhook-signature", of: "Standard Webhooks, with webhook-id and webhook-timestamp" },
  stripe: { name: "Stripe-Signature", of: "Stripe" },
  github: { name: "X-Hub-Signature-256", of: "GitHub" },
  slack: { name: "X-Slack-Signature", of: "Slack, with X-Slack-Request-Timestamp" },
} as const;

/** Describes the kinds of credentials that a contract knows, as a component of OpenAPI; empty if it knows none. */
export function securitySchemes(contract: Callers & Pick<Contract, "routes">): Json {
  const { identity, apiKeys, sessions } = contract;
  const kinds = new Set(tokenKinds(contract));
  const schemes = {
    ...(identity !== undefined && kinds.has("accessToken")
      ? {
          accessToken: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: `Access token of ${identity.issuer} (RFC 9068)`,
          },
        }
      : {}),
    ...(identity !== undefined && kinds.has("boundToken")
      ? {
          boundToken: {
            type: "http",
            scheme: "DPoP",
            description: `Access token of ${identity.issuer} (RFC 9068), with a proof of possession in the header DPoP (RFC 9449)`,
          },
        }
      : {}),
    ...(sessions === undefined
      ? {}
      : {
          session: {
            type: "apiKey",
            in: "cookie",
            name: sessions.cookie,
            description: "Session of a signed-in visitor, on pages of this site",
          },
        }),
    ...(apiKeys === undefined
      ? {}
      : {
          apiKey: {
            ...(apiKeys.header === "x-api-key"
              ? { type: "apiKey", in: "header", name: "X-API-Key" }
              : { type: "http", scheme: "ApiKey" }),
            description: "A key that the operator of this API made",
          },
        }),
    ...webhookSchemes(contract.routes),
  };
  return Object.keys(schemes).length === 0 ? {} : { securitySchemes: schemes };
}

function webhookSchemes(routes: readonly ContractRoute[]): Json {
  const kinds = new Set(routes.flatMap(({ webhook }) => (webhook === undefined ? [] : [webhook.scheme])));
  return Object.fromEntries(
    [...kinds].map((scheme) => [
      `${scheme}Webhook`,
      {
        type: "apiKey",
        in: "header",
        name: signatures[scheme].name,
        description: `Signature of the body as made by ${signatures[scheme].of}`,
      },
    ]),
  );
}

/** What a request must bring. An empty object stands for nothing (OpenAPI 3.1.1 §4.8.30), scopes for what the credential must have. */
export function securityOf({ access, visible, webhook }: ContractRoute, contract: Callers): Json[] {
  if (webhook !== undefined) return [{ [`${webhook.scheme}Webhook`]: [] }];
  const ofSubjects = [
    ...tokenKinds(contract),
    ...(contract.sessions === undefined ? [] : (["session"] as const)),
  ];
  if (access.kind === "everyone")
    return visible?.unless === undefined ? [] : [{}, ...ofSubjects.map((kind) => ({ [kind]: [] }))];
  const scopes = access.kind === "anyOf" ? [] : scopesOf(access);
  const takesKeys = contract.apiKeys !== undefined && keyAccess(access) !== undefined;
  return [...ofSubjects, ...(takesKeys ? ["apiKey"] : [])].map((kind) => ({ [kind]: scopes }));
}

function tokenKinds({ identity }: Callers): readonly ("accessToken" | "boundToken")[] {
  if (identity === undefined) return [];
  if (identity.dpop === undefined) return ["accessToken"];
  return identity.dpop === "required" ? ["boundToken"] : ["accessToken", "boundToken"];
}

const scopesOf = (access: Access): string[] =>
  access.kind === "allOf" ? access.of.flatMap(scopesOf) : access.kind === "scope" ? [access.scope] : [];
