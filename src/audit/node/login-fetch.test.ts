import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { isCurtainwallError } from "../../shared/index.ts";
import { testCertificate } from "../fixtures/certificate.ts";
import { authorizationCode, clientCredentials } from "./token.ts";
import type { AuthorizationCodeOptions } from "./token.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer): Promise<{ origin: string; ca: string; close(): void }> {
  const { cert, key, ca } = await testCertificate();
  const server = createServer({ cert, key }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const sendJson = (response: ServerResponse, value: object): void =>
  void response.setHeader("content-type", "application/json").end(JSON.stringify(value));

interface Scene {
  options: AuthorizationCodeOptions & { clientSecret: string };
  /** Where the tokens are asked for, and what came there. */
  other: string;
  asked: string[];
  close(): void;
}

/** An issuer whose discovery document has its tokens asked for at another origin. */
async function startScene(): Promise<Scene> {
  const asked: string[] = [];
  let nonce: string | null;
  const idToken = (): string => {
    const seconds = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.origin, aud: "audit", sub: "alice", iat: seconds, exp: seconds + 60, nonce };
    // It comes over TLS from the issuer itself, so its signature says nothing more (OpenID Connect Core §3.1.3.7).
    return [{ alg: "RS256" }, claims, 0]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
  };
  const other = await listen(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    asked.push(`${request.method} ${request.url} ${form.get("code") ?? form.get("grant_type")}`);
    sendJson(response, {
      access_token: "a token",
      token_type: "bearer",
      ...(form.has("code") ? { id_token: idToken() } : {}),
    });
  });
  const issuer = await listen((request, response) => {
    const { origin } = issuer;
    const { pathname, searchParams } = new URL(request.url ?? "", origin);
    if (pathname !== "/auth")
      return sendJson(response, {
        issuer: origin,
        authorization_endpoint: `${origin}/auth`,
        token_endpoint: `${other.origin}/token`,
      });
    nonce = searchParams.get("nonce");
    response
      .writeHead(302, {
        location: `https://localhost:1/back?code=the-code&state=${searchParams.get("state")}`,
      })
      .end();
  });
  return {
    options: {
      issuer: issuer.origin,
      clientId: "audit",
      clientSecret: "only-for-this-test",
      redirectUri: "https://localhost:1/back",
      username: "alice",
      password: "bread",
      ca: issuer.ca,
    },
    other: other.origin,
    asked,
    close() {
      issuer.close();
      other.close();
    },
  };
}

for (const [whose, source, sent] of [
  ["a person", authorizationCode, "POST /token the-code"],
  ["a client", clientCredentials, "POST /token client_credentials"],
] as const) {
  test(`no code or client secret of ${whose} goes where the discovery document alone leads (RFC 8414 §6.2)`, async () => {
    const { options, other, asked, close } = await startScene();
    try {
      for (const loginOrigins of [[], ["https://sso.example.com"]])
        await assert.rejects(
          source({ ...options, loginOrigins })(),
          (error) =>
            isCurtainwallError(error, "AUDIT_TOKEN_REFUSED") &&
            error.message.includes(`leads to ${other}, which the plan does not name`) &&
            error.message.includes(`write  loginOrigins: ["${other}"]`),
        );
      assert.deepEqual(asked, []);
    } finally {
      close();
    }
  });

  test(`the token of ${whose} is asked for at the origin that the plan names`, async () => {
    const { options, other, asked, close } = await startScene();
    try {
      assert.equal(await source({ ...options, loginOrigins: [other] })(), "a token");
      assert.deepEqual(asked, [sent]);
    } finally {
      close();
    }
  });
}

test("a compressed answer of an issuer, which nobody asked for, gives no token, and that is said", async () => {
  const { options, close } = await startScene();
  const packed = await listen((_, response) =>
    response
      .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      .end(gzipSync(JSON.stringify({ issuer: packed.origin }))),
  );
  try {
    await assert.rejects(
      clientCredentials({ ...options, issuer: packed.origin })(),
      (error) =>
        isCurtainwallError(error, "AUDIT_TOKEN_REFUSED") &&
        error.message.includes(`${packed.origin} answered with content-encoding gzip`),
    );
  } finally {
    packed.close();
    close();
  }
});
