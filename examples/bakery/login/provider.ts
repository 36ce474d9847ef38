import type { Configuration, ResourceServer } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import { clientIds, registeredClients, scope } from "./clients.ts";
import type { LoginKeys } from "./keys.ts";
import { createMemoryAdapter } from "./memory-adapter.ts";
import { errors, interactionPolicy, Provider } from "./oidc-provider.ts";
import { errorPage } from "./pages.ts";

/** Options of {@link createProvider}. */
export interface ProviderOptions {
  issuer: string;
  /** Where the bakery's site is: its client may be sent back there. */
  siteOrigin: string;
  accounts: Accounts;
  keys: LoginKeys;
  /** The APIs that tokens can be asked for: their identifiers are the tokens' `aud`. The first is the default. */
  audiences: readonly [string, ...string[]];
}

const accessTokenSeconds = 600;

/**
 * Makes the bakery's OpenID provider: authorization code with PKCE, and signed JWT access tokens (RFC 9068) for the
 * resource that is asked for (RFC 8707).
 */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, configuration(options));
  provider.on("server_error", (_context, error) => console.error(`login: ${error.message}`));
  return provider;
}

function configuration({ siteOrigin, accounts, keys, audiences }: ProviderOptions): Configuration {
  return {
    adapter: createMemoryAdapter(),
    clients: registeredClients(siteOrigin),
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    jwks: { keys: [keys.signing] },
    cookies: {
      names: {
        session: "__Host-bakery-session",
        interaction: "__Secure-bakery-sign-in",
        resume: "__Secure-bakery-resume",
      },
      long: { signed: true, secure: true, httpOnly: true, sameSite: "lax" },
      short: { signed: true, secure: true, httpOnly: true, sameSite: "lax" },
      keys: keys.cookies,
    },
    scopes: ["openid"],
    claims: { openid: ["sub"], profile: ["name"] },
    clientBasedCORS: (_context, origin) => origin === siteOrigin,
    findAccount: (_context, id) => {
      const person = accounts.find(id);
      return person && { accountId: id, claims: () => ({ sub: id, name: person.name }) };
    },
    extraTokenClaims: (_context, token) => {
      const person = token.kind === "AccessToken" ? accounts.find(token.accountId) : undefined;
      if (person === undefined) return undefined;
      const { roles, kitchen } = person;
      return { ...(roles.length === 0 ? {} : { roles }), ...(kitchen === undefined ? {} : { kitchen }) };
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_context, _client, oneOf) => oneOf ?? audiences[0],
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, identifier, client) => {
          if (!audiences.includes(identifier)) throw new errors.InvalidTarget();
          return resourceServer(identifier, client.clientId);
        },
      },
    },
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}`, policy: signInOnly() },
    // All clients are the bakery's own, so whoever signs in has agreed to all there is to agree to.
    loadExistingGrant: async ({ oidc }) => {
      const clientId = oidc.client?.clientId;
      const accountId = oidc.session?.accountId;
      if (clientId === undefined || accountId === undefined) return undefined;
      const known = oidc.session?.grantIdFor(clientId);
      const grant =
        (known === undefined ? undefined : await oidc.provider.Grant.find(known)) ??
        new oidc.provider.Grant({ clientId, accountId });
      grant.addOIDCScope("openid");
      for (const audience of audiences) grant.addResourceScope(audience, scope);
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    renderError: (context, { error, error_description }) => {
      context.type = "html";
      context.body = errorPage({ code: error, description: error_description });
    },
    responseTypes: ["code"],
    ttl: {
      AccessToken: (_context, token) => token.resourceServer?.accessTokenTTL ?? accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      Session: 3600,
    },
  };
}

function resourceServer(audience: string, clientId: string): ResourceServer {
  return {
    audience,
    scope,
    accessTokenFormat: "jwt",
    accessTokenTTL: clientId === clientIds.auditExpiring ? 1 : accessTokenSeconds,
    jwt: { sign: { alg: "ES256" } },
  };
}

function signInOnly(): ReturnType<typeof interactionPolicy.base> {
  const policy = interactionPolicy.base();
  policy.remove("consent");
  return policy;
}
