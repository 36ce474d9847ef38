import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { developmentCertificate } from "curtainwall/edge";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { JSONWebKeySet } from "jose";
import { requires } from "../../../test/requires.ts";
import { close, listen } from "../listen.ts";
import { alice, demonstrationPassword, marta, people } from "../people.ts";
import { apiAudience, wholesaleAudience } from "../settings.ts";
import { createAccounts } from "./accounts.ts";
import { createAttemptLimit } from "./attempts.ts";
import { auditRedirectUri, clientIds } from "./clients.ts";
import { getToken } from "./get-token.ts";
import { loadKeys } from "./keys.ts";
import { createMemoryAdapter } from "./memory-adapter.ts";
import { createProvider } from "./provider.ts";
import { createLogin } from "./server.ts";
import { createSignIn } from "./sign-in.ts";

const siteOrigin = "https://bakery.test";
const running = await startLogin();
after(running.stop);

async function startLogin() {
  const folder = await mkdtemp(join(tmpdir(), "bakery-login-"));
  const certificate = await developmentCertificate({ folder: join(folder, "ca"), hosts: ["localhost"] });
  const port = await freePort(certificate);
  const issuer = `https://localhost:${port}`;
  const accounts = await createAccounts(people, demonstrationPassword);
  const provider = createProvider({
    issuer,
    siteOrigin,
    accounts,
    keys: await loadKeys(join(folder, "keys.json")),
    audiences: [apiAudience, wholesaleAudience],
  });
  const errors: unknown[] = [];
  const server = createLogin({
    provider,
    signIn: createSignIn({ provider, accounts, maxFailuresPerAccount: 3 }),
    siteOrigin,
    certificate,
    onError: (error) => errors.push(error),
  });
  await listen(server, { name: "the login", port, variable: "BAKERY_LOGIN_PORT" });
  return {
    folder,
    issuer,
    port,
    ca: certificate.ca,
    errors,
    stop: async () => {
      await close(server);
      await rm(folder, { recursive: true });
    },
  };
}

/** An issuer's address is part of what it signs, so the port must be known before the provider is made. */
async function freePort(certificate: { cert: string; key: string }): Promise<number> {
  const server = createServer(certificate);
  const port = await listen(server, { name: "nobody", port: 0, variable: "" });
  await close(server);
  return port;
}

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
  rawBody?: string;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

function visit(path: string, { method, headers = {}, form, rawBody }: Sent = {}): Promise<Answer> {
  const body = rawBody ?? (form === undefined ? undefined : new URLSearchParams(form).toString());
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    {
      host: "localhost",
      servername: "localhost",
      port: running.port,
      path,
      ca: running.ca,
      agent: false,
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        accept: "text/html",
        ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    },
  );
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

const authorization = (changes: Record<string, string | undefined> = {}): string => {
  const parameters = Object.entries({
    client_id: clientIds.site,
    response_type: "code",
    scope: "openid shop",
    redirect_uri: `${siteOrigin}/signed-in/`,
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    state: "somewhere",
    ...changes,
  }).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `/auth?${new URLSearchParams(parameters).toString()}`;
};

/** Begins a sign-in as a browser would: the form's path, and the cookies that belong to it. */
async function begin(): Promise<{ path: string; cookie: string }> {
  const { status, headers } = await visit(authorization());
  assert.equal(status, 303);
  const cookie = (headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
  return { path: String(headers.location), cookie };
}

const alicesForm = { username: "alice", password: demonstrationPassword };
const token = (
  options: { username?: string; password?: string; audience?: string; clientId?: string } = {},
) =>
  getToken({
    issuer: running.issuer,
    ca: running.ca,
    username: "alice",
    password: demonstrationPassword,
    audience: apiAudience,
    ...options,
  });

async function verified(accessToken: string, audience: string) {
  const { text } = await visit("/jwks");
  const keys = JSON.parse(text) as JSONWebKeySet;
  assert.ok(keys.keys.every((key) => !("d" in key)));
  return jwtVerify(accessToken, createLocalJWKSet(keys), {
    issuer: running.issuer,
    audience,
    algorithms: ["ES256"],
    typ: "at+jwt",
  });
}

test("a customer who signs in gets an access token as RFC 9068 has it, for ten minutes, without roles", async () => {
  const accessToken = await token();
  assert.equal(decodeProtectedHeader(accessToken).typ, "at+jwt");
  const { payload } = await verified(accessToken, apiAudience);
  assert.equal(payload.sub, alice.id);
  assert.equal(Number(payload.exp) - Number(payload.iat), 600);
  assert.equal(payload["client_id"], clientIds.audit);
  assert.ok(payload.jti);
  assert.equal("roles" in payload, false);
});

test("the token of somebody behind the counter says so", async () => {
  const { payload } = await verified(await token({ username: "marta" }), apiAudience);
  assert.equal(payload.sub, marta.id);
  assert.deepEqual(payload["roles"], ["staff"]);
});

test("the token of somebody who orders for a kitchen names it, and nobody else's does", async () => {
  const kitchenOf = async (username: string): Promise<unknown> =>
    (await verified(await token({ username }), apiAudience)).payload["kitchen"];
  assert.equal(await kitchenOf("alice"), alice.kitchen);
  assert.equal(await kitchenOf("marta"), undefined);
});

test("the audit can hold a token that expires after a second, and one for another API (RFC 8707)", async () => {
  const expiring = decodeJwt(await token({ clientId: clientIds.auditExpiring }));
  assert.equal(Number(expiring.exp) - Number(expiring.iat), 1);
  assert.equal(expiring.aud, apiAudience);
  await verified(await token({ audience: wholesaleAudience }), wholesaleAudience);
  await assert.rejects(token({ audience: "https://elsewhere.example" }));
});

test("a wrong password is refused, and so is a name that nobody has, with the same words", async () => {
  const { path, cookie } = await begin();
  const known = await visit(path, { headers: { cookie }, form: { username: "bob", password: "wrong" } });
  const unknown = await visit(path, { headers: { cookie }, form: { username: "eve", password: "wrong" } });
  assert.deepEqual([known.status, unknown.status], [403, 403]);
  assert.equal(known.text.replace('value="bob"', ""), unknown.text.replace('value="eve"', ""));
  await assert.rejects(token({ password: "wrong" }), /asked for the password of alice again/);
});

test("guessing ends in 429 and a time to wait, for the account that is guessed and no other", async () => {
  const { path, cookie } = await begin();
  const guess = (username: string) =>
    visit(path, { headers: { cookie }, form: { username, password: "guess" } });
  for (let attempt = 0; attempt < 3; attempt += 1) assert.equal((await guess("mallory")).status, 403);
  const refused = await guess(" Mallory ");
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.equal((await visit(path, { headers: { cookie }, form: alicesForm })).status, 303);
});

test("of guesses at once no more are tried than one after another, and what is right counts for nothing", async () => {
  const { path, cookie } = await begin();
  const guesses = Array.from({ length: 12 }, (_, count) =>
    visit(path, { headers: { cookie }, form: { username: "trudy", password: `guess ${count}` } }),
  );
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  assert.deepEqual(
    statuses.toSorted((one, other) => one - other),
    [...Array<number>(3).fill(403), ...Array<number>(9).fill(429)],
  );
  // As often as an account may fail, and once more.
  for (let count = 0; count < 4; count += 1) await token({ username: "bob" });
});

test("the sign-in page runs no script: its policy names its style by hash and where its form may lead", async () => {
  const { path, cookie } = await begin();
  const { status, headers, text } = await visit(path, { headers: { cookie } });
  assert.equal(status, 200);
  const policy = String(headers["content-security-policy"]);
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none';/);
  assert.match(policy, new RegExp(`form-action 'self' ${siteOrigin};`));
  assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const style = /<style>([^<]*)<\/style>/.exec(text)?.[1] ?? "";
  assert.ok(policy.includes(hash("sha256", style, "base64")));
  assert.doesNotMatch(text, /<script|\son\w+=|\sstyle=|https?:\/\/(?!www\.w3\.org)/);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-frame-options"], "DENY");
});

test("the login's root is a page with the way in and the way back; the way in leads to the form, and ends on the site", async () => {
  const root = await visit("/");
  assert.equal(root.status, 200);
  assert.match(root.text, /href="\/begin"/);
  assert.match(root.text, /href="https:\/\/bakery\.test\/"/);
  assert.equal((await visit("/", { form: {} })).status, 405);
  const [first, second] = await Promise.all([visit("/begin"), visit("/begin")]);
  assert.equal(first.status, 303);
  const challenge = (answer: Answer): string | null =>
    new URL(String(answer.headers.location), running.issuer).searchParams.get("code_challenge");
  assert.notEqual(challenge(first), challenge(second), "each sign-in has a challenge of its own");
  const form = await visit(String(first.headers.location));
  assert.equal(form.status, 303);
  const cookie = (form.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
  const sent = await visit(String(form.headers.location), { form: alicesForm, headers: { cookie } });
  assert.equal(sent.status, 303);
  const cookies = [cookie, ...(sent.headers["set-cookie"] ?? []).map((line) => line.split(";")[0])].join(
    "; ",
  );
  const resumed = await visit(new URL(String(sent.headers.location), running.issuer).pathname, {
    headers: { cookie: cookies },
  });
  assert.match(String(resumed.headers.location), /^https:\/\/bakery\.test\/signed-in\/\?code=/);
});

test("what is typed into the form comes back as text", async () => {
  const { path, cookie } = await begin();
  const username = `"><script>alert(1)</script>&amp;'`;
  const { text } = await visit(path, { headers: { cookie }, form: { username, password: "x" } });
  assert.doesNotMatch(text, /<script/);
  assert.ok(text.includes("&#34;&#62;&#60;script&#62;"));
});

test("every answer carries the security headers: forms, errors, JSON", async () => {
  for (const path of ["/auth", "/nothing", "/jwks", "/sign-in/x", "/.well-known/openid-configuration"]) {
    const { headers } = await visit(path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'/, path);
    assert.ok(headers["strict-transport-security"], path);
  }
});

test("the cookies are for this host, over TLS, out of reach of scripts and of other sites' forms", async () => {
  const { path, cookie } = await begin();
  const { headers } = await visit(path, { headers: { cookie }, form: alicesForm });
  const end = await visit(new URL(String(headers.location)).pathname, { headers: { cookie } });
  const lines = [
    ...((await visit(authorization())).headers["set-cookie"] ?? []),
    ...(end.headers["set-cookie"] ?? []),
  ];
  const given = lines.filter((line) => !line.includes("1970"));
  assert.ok(given.some((line) => line.startsWith("__Host-bakery-session=")));
  for (const line of given)
    assert.match(
      line,
      /^__(Host|Secure)-.*secure.*httponly.*samesite=lax|^__(Host|Secure)-.*samesite=lax.*secure.*httponly/i,
    );
});

test("a form that another site sends is refused; the same form from this site is not", async () => {
  const foreign = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
  ];
  for (const headers of foreign) {
    const { path, cookie } = await begin();
    const { status } = await visit(path, { headers: { cookie, ...headers }, form: alicesForm });
    assert.equal(status, 403, JSON.stringify(headers));
  }
  const { path, cookie } = await begin();
  const own = { cookie, origin: running.issuer, "sec-fetch-site": "same-origin" };
  assert.equal((await visit(path, { headers: own, form: alicesForm })).status, 303);
});

test("a sign-in belongs to the browser that began it", async () => {
  const first = await begin();
  const second = await begin();
  assert.equal((await visit(first.path, { form: alicesForm })).status, 400);
  assert.equal(
    (await visit(first.path, { headers: { cookie: second.cookie }, form: alicesForm })).status,
    400,
  );
  assert.equal((await visit("/sign-in/../../etc/passwd", { headers: { cookie: first.cookie } })).status, 400);
});

test("whoever does not want to sign in is sent back with access_denied", async () => {
  const { path, cookie } = await begin();
  const { headers } = await visit(path, { headers: { cookie }, form: { cancel: "yes" } });
  const end = await visit(new URL(String(headers.location)).pathname, { headers: { cookie } });
  const back = new URL(String(end.headers.location));
  assert.equal(back.origin, siteOrigin);
  assert.equal(back.searchParams.get("error"), "access_denied");
  assert.equal(back.searchParams.get("state"), "somewhere");
});

test("bodies that the form does not send are refused", async () => {
  const { path, cookie } = await begin();
  const json = { cookie, "content-type": "application/json" };
  assert.equal((await visit(path, { headers: json, rawBody: "{}" })).status, 400);
  assert.equal(
    (await visit(path, { headers: { cookie }, rawBody: `username=${"a".repeat(5000)}` })).status,
    400,
  );
  assert.equal((await visit(path, { headers: { cookie }, rawBody: "%%%" })).status, 403);
  assert.equal((await visit(path, { headers: { cookie }, method: "DELETE" })).status, 405);
});

test("an authorization request without PKCE, or for another address, client or flow, is refused", async () => {
  const isRefused = async (changes: Record<string, string | undefined>) => {
    const { status, headers } = await visit(authorization(changes));
    assert.ok(status === 400 || /[?#&]error=/.test(String(headers.location)), JSON.stringify(changes));
  };
  await isRefused({ code_challenge: undefined, code_challenge_method: undefined });
  await isRefused({ code_challenge_method: "plain" });
  await isRefused({ redirect_uri: "https://evil.example/signed-in/" });
  await isRefused({ redirect_uri: `${siteOrigin}/signed-in/../elsewhere` });
  await isRefused({ client_id: "nobody" });
  await isRefused({ response_type: "token" });
  await isRefused({ resource: "https://elsewhere.example" });
  await isRefused({ client_id: clientIds.audit, redirect_uri: `${auditRedirectUri}/more` });
});

test("a code is good for one exchange, with its verifier", async () => {
  const exchange = (code: string, verifier: string) =>
    visit("/token", {
      form: {
        grant_type: "authorization_code",
        client_id: clientIds.site,
        redirect_uri: `${siteOrigin}/signed-in/`,
        code_verifier: verifier,
        code,
      },
    });
  const code = async (): Promise<string> => {
    const { path, cookie } = await begin();
    const { headers } = await visit(path, { headers: { cookie }, form: alicesForm });
    const end = await visit(new URL(String(headers.location)).pathname, { headers: { cookie } });
    return String(new URL(String(end.headers.location)).searchParams.get("code"));
  };
  // RFC 7636, appendix B.
  const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const spent = await code();
  const first = await exchange(spent, verifier);
  assert.equal(first.status, 200);
  // Without asking for a resource, the token is for the bakery's API.
  await verified((JSON.parse(first.text) as { access_token: string }).access_token, apiAudience);
  assert.equal((await exchange(spent, verifier)).status, 400);
  assert.equal((await exchange(await code(), "a".repeat(43))).status, 400);
});

test("a request for another host is misdirected (RFC 9110 §15.5.20)", async () => {
  assert.equal((await visit("/jwks", { headers: { host: "evil.example" } })).status, 421);
  assert.equal((await visit("/jwks")).status, 200);
});

test("only the site's own pages may read the token endpoint's answers", async () => {
  const preflight = (origin: string) =>
    visit("/token", { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
  assert.equal((await preflight(siteOrigin)).headers["access-control-allow-origin"], siteOrigin);
  const answer = (origin: string) =>
    visit("/token", {
      headers: { origin },
      form: { grant_type: "authorization_code", client_id: clientIds.site },
    });
  assert.equal((await answer(siteOrigin)).headers["access-control-allow-origin"], siteOrigin);
  assert.equal((await answer("https://evil.example")).headers["access-control-allow-origin"], undefined);
});

test("no error of the login's own came up in all of this", () => {
  assert.deepEqual(running.errors, []);
});

test("the keys are made once, for their owner only; a broken file is not replaced", async () => {
  const file = join(running.folder, "other-keys.json");
  const [one, two] = await Promise.all([loadKeys(file), loadKeys(file)]);
  assert.deepEqual(one, two);
  assert.deepEqual(await loadKeys(file), one);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await writeFile(file, "{}");
  await assert.rejects(loadKeys(file), /does not hold the login's keys/);
  assert.equal(await readFile(file, "utf8"), "{}");
});

test("attempts are counted in a window, for a bounded number of keys", () => {
  let now = 0;
  const limit = createAttemptLimit({ maxFailures: 2, windowMs: 100, maxKeys: 2, now: () => now });
  limit.count("a");
  assert.equal(limit.waitMs("a"), 0);
  limit.count("a");
  assert.equal(limit.waitMs("a"), 100);
  now = 100;
  assert.equal(limit.waitMs("a"), 0);
  for (const key of ["a", "a", "b", "c"]) limit.count(key);
  assert.equal(limit.waitMs("a"), 0);
  for (let count = 0; count < 3; count += 1) {
    limit.count("b");
    limit.giveBack("b");
  }
  assert.equal(limit.waitMs("b"), 0);
  limit.count("b");
  assert.equal(limit.waitMs("b"), 100);
});

test("the provider's memory forgets what has expired, and the oldest when it is full", async () => {
  let now = 0;
  const adapter = createMemoryAdapter({ maxRecords: 2, now: () => now })("Session");
  await adapter.upsert("1", { uid: "one", grantId: "g" }, 10);
  await adapter.upsert("2", { uid: "two" }, 20);
  assert.deepEqual(await adapter.findByUid("one"), { uid: "one", grantId: "g" });
  now = 10_000;
  assert.equal(await adapter.find("1"), undefined);
  await adapter.upsert("3", { grantId: "g" }, 30);
  await adapter.upsert("4", {}, 30);
  assert.equal(await adapter.find("2"), undefined);
  await adapter.revokeByGrantId("g");
  assert.equal(await adapter.find("3"), undefined);
  await adapter.consume("4");
  assert.equal((await adapter.find("4"))?.consumed, 10);
});

const chromium = requires("chromium");
test(
  "a person can sign in with Chromium, and nothing on the way breaks the page's policy",
  chromium,
  async () => {
    const { chromium: browserType } = await import("playwright-core");
    const browser = await browserType.launch({
      executablePath: chromium.path,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
      ],
    });
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
      await context.route(`${siteOrigin}/**`, (route) =>
        route.fulfill({ contentType: "text/html", body: "back" }),
      );
      const page = await context.newPage();
      const violations: string[] = [];
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) violations.push(message.text());
      });
      await page.goto(`${running.issuer}${authorization()}`);
      await page.getByLabel("Name").fill("alice");
      await page.getByLabel("Password").fill(demonstrationPassword);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL(`${siteOrigin}/signed-in/**`);
      assert.ok(new URL(page.url()).searchParams.get("code"));
      assert.deepEqual(violations, []);
    } finally {
      await browser.close();
    }
  },
);
