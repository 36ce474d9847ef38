import type { ClientMetadata } from "oidc-provider";

/** The clients that may ask for tokens. All are public and use PKCE. */
export const clientIds = {
  site: "bakery-site",
  /** For `curtainwall audit` and the command line. */
  audit: "bakery-audit",
  /** Its access tokens live one second, so that the audit can hold one that has really expired. */
  auditExpiring: "bakery-audit-expiring",
} as const;

/** Where the audit's clients are sent back to. Nothing listens there: the code is read from the address. */
export const auditRedirectUri = "http://127.0.0.1/signed-in";

/** The scope to ask for besides `openid`. */
export const scope = "shop";

/** The clients as the provider registers them. */
export function registeredClients(siteOrigin: string): ClientMetadata[] {
  const common: Omit<ClientMetadata, "client_id"> = {
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code"],
    response_types: ["code"],
  };
  const audit: Omit<ClientMetadata, "client_id"> = {
    ...common,
    application_type: "native",
    redirect_uris: [auditRedirectUri],
    client_name: "the bakery’s audit",
  };
  return [
    {
      ...common,
      client_id: clientIds.site,
      application_type: "web",
      redirect_uris: [`${siteOrigin}/signed-in/`],
      client_name: "the bakery’s website",
    },
    { ...audit, client_id: clientIds.audit },
    { ...audit, client_id: clientIds.auditExpiring },
  ];
}
