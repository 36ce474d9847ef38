import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mock, test } from "node:test";
import { Provider } from "oidc-provider";
import { isCurtainwallError } from "../../shared/index.ts";
import { testCertificate } from "../fixtures/certificate.ts";
import { decodeToken } from "../requests/tokens.ts";
import { authorizationCode, clientCredentials } from "./token.ts";
import type { AuthorizationCodeOptions } from "./token.ts";

// The provider tells what a production set-up would change.
mock.method(console, "warn", () => undefined);
mock.method(console, "info", () => undefined);

interface Issuer {
  options: AuthorizationCodeOptions;
  close(): void;
}

/** A real provider with its own login and consent pages, which take any password. */
async function startIssuer(page?: (path: string) => string | undefined): Promise<Issuer> {
  const { cert, key, ca } = await testCertificate();
  const server = createServer({ cert, key });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const redirectUri = "https://localhost:1/back";
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await crypto.subtle.exportKey("jwk", keys.privateKey);
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "person",
        token_endpoint_auth_method: "none",
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code"],
      },
      {
        client_id: "machine",
        client_secret: "only-for-this-test",
        redirect_uris: [],
        response_types: [],
        grant_types: ["client_credentials"],
      },
    ],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    jwks: { keys: [{ ...jwk, kid: "k1", alg: "ES256", use: "sig" }] },
    cookies: { keys: ["test"] },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://api.test.example",
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: "",
          audience: resource,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  provider.proxy = false;
  const handle = provider.callback();
  server.on("request", (request, response) => {
    const own = page?.(request.url ?? "");
    if (own !== undefined) response.setHeader("content-type", "text/html").end(own);
    else void handle(request, response);
  });
  return {
    options: {
      issuer,
      clientId: "person",
      redirectUri,
      resource: "https://api.test.example",
      username: "alice",
      password: "bread",
      ca,
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const refusesWith =
  (message: RegExp) =>
  (error: unknown): boolean =>
    isCurtainwallError(error, "AUDIT_TOKEN_REFUSED") && message.test(error.message);

test("a person is signed in through the provider's own login and consent pages (RFC 6749 §4.1, RFC 7636)", async () => {
  const { options, close } = await startIssuer();
  try {
    const claims = decodeToken(await authorizationCode(options)())?.claims;
    assert.equal(claims?.sub, "alice");
    assert.equal(claims?.aud, "https://api.test.example");
  } finally {
    close();
  }
});

test("a client gets a token in its own name (RFC 6749 §4.4)", async () => {
  const { options, close } = await startIssuer();
  try {
    const token = await clientCredentials({
      ...options,
      clientId: "machine",
      clientSecret: "only-for-this-test",
    })();
    assert.equal(decodeToken(token)?.claims.aud, "https://api.test.example");
  } finally {
    close();
  }
});

test("a provider that can't be reached, or whose certificate does not verify, is a clear refusal", async () => {
  const { options, close } = await startIssuer();
  const { ca: _, ...untrusting } = options;
  await assert.rejects(authorizationCode(untrusting)(), refusesWith(/gave no token: /));
  close();
  await assert.rejects(authorizationCode(options)(), refusesWith(/ECONNREFUSED/));
});

test("an unknown client is refused by the provider, and that is said", async () => {
  const { options, close } = await startIssuer();
  try {
    await assert.rejects(
      authorizationCode({ ...options, clientId: "stranger" })(),
      refusesWith(/without a form|stranger|invalid/),
    );
  } finally {
    close();
  }
});

const login = (action: string, method: string): string =>
  `<form action="${action}" method="${method}"><input name="login"><input type="password" name="password"><button>Go</button></form>`;

for (const [what, action, method, message] of [
  [
    "to another origin",
    "https://attacker.invalid/steal",
    "post",
    /wants to send what is typed to https:\/\/attacker\.invalid/,
  ],
  ["into an address", "", "get", /put the password into an address/],
  ["again and again", "", "post", /asked for the password of alice again/],
] as const) {
  test(`a password is not sent ${what}`, async () => {
    const { options, close } = await startIssuer((path) =>
      path.startsWith("/interaction/") ? login(action, method) : undefined,
    );
    try {
      await assert.rejects(authorizationCode(options)(), refusesWith(message));
    } finally {
      close();
    }
  });
}

test("a login that needs JavaScript is a refusal with a hint", async () => {
  const { options, close } = await startIssuer((path) =>
    path.startsWith("/interaction/") ? "<div id=app></div>" : undefined,
  );
  try {
    await assert.rejects(
      authorizationCode(options)(),
      (error) => isCurtainwallError(error) && /JavaScript/.test(error.hint ?? ""),
    );
  } finally {
    close();
  }
});
