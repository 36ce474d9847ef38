import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
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
async function startIssuer(
  page?: (path: string) => string | undefined,
  /** Where people sign in instead. */
  elsewhere?: string,
): Promise<Issuer> {
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
  /** Sends people away to sign in, and believes who comes back. */
  const federate = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { uid, prompt } = await provider.interactionDetails(request, response);
    if (prompt.name !== "login") return handle(request, response);
    if (request.url?.endsWith("?signed-in") === true)
      return provider.interactionFinished(request, response, { login: { accountId: "alice" } });
    response.writeHead(303, { location: `${elsewhere}/?${issuer}/interaction/${uid}?signed-in` }).end();
  };
  server.on("request", (request, response) => {
    if (
      elsewhere !== undefined &&
      request.url?.startsWith("/interaction/") === true &&
      request.method === "GET"
    )
      return void federate(request, response);
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

/** A page of somebody else's that asks for a password, and sends whoever gave it to where they came from. */
async function startLoginPage(): Promise<{ origin: string; asked: string[]; close(): void }> {
  const { cert, key } = await testCertificate();
  const asked: string[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    asked.push(`${request.method} ${body}`);
    const back = request.url?.slice(2);
    if (request.method === "POST") response.writeHead(303, { location: back }).end();
    else response.setHeader("content-type", "text/html").end(login("", "post"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("a page of an origin that the plan does not name is not asked for, and the error says what to write", async () => {
  const other = await startLoginPage();
  const { options, close } = await startIssuer(undefined, other.origin);
  try {
    for (const loginOrigins of [undefined, ["https://sso.example.com"]])
      await assert.rejects(
        authorizationCode({ ...options, ...(loginOrigins === undefined ? {} : { loginOrigins }) })(),
        (error) =>
          isCurtainwallError(error, "AUDIT_TOKEN_REFUSED") &&
          error.message.includes(`leads to ${other.origin}, which the plan does not name`) &&
          error.message.includes(`write  loginOrigins: ["${other.origin}"]`),
      );
    assert.deepEqual(other.asked, []);
  } finally {
    close();
    other.close();
  }
});

test("a federated login goes through the origins that the plan names", async () => {
  const other = await startLoginPage();
  const { options, close } = await startIssuer(undefined, other.origin);
  try {
    const token = await authorizationCode({ ...options, loginOrigins: [other.origin] })();
    assert.equal(decodeToken(token)?.claims.sub, "alice");
    assert.deepEqual(other.asked, ["GET ", "POST login=alice&password=bread"]);
  } finally {
    close();
    other.close();
  }
});

test("what is no origin, or one over http elsewhere, is refused when the plan is read", async () => {
  const { options, close } = await startIssuer();
  close();
  for (const given of ["sso.example.com", "https://sso.example.com/login", "http://sso.example.com", "*"])
    for (const source of [authorizationCode, clientCredentials])
      assert.throws(
        () => source({ ...options, clientSecret: "only-for-this-test", loginOrigins: [given] }),
        (error) =>
          isCurtainwallError(error, "AUDIT_PLAN_INVALID") && error.message.includes(JSON.stringify(given)),
      );
  authorizationCode({ ...options, loginOrigins: ["https://sso.example.com", "http://localhost:8080"] });
});

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
