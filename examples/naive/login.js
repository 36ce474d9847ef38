// Somebody else's login, as far as the example needs one: it signs tokens for two apps, and publishes its key. It is not what is audited.
import { createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const people = [
  { name: "ada", id: "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a11", roles: [] },
  { name: "ben", id: "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a22", roles: [] },
  { name: "kim", id: "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a33", roles: ["office"] },
];

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }];

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs a token for one of the people, or returns nothing. In the demonstration nobody has a password. */
function issue(issuer, query) {
  const person = people.find(({ name }) => name === query.get("name"));
  if (person === undefined) return undefined;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: query.get("audience") ?? "tickets",
    sub: person.id,
    roles: person.roles,
    iat: now,
    exp: now + Number(query.get("seconds") ?? 600),
  };
  const text = `${part({ alg: "RS256", typ: "at+jwt", kid: "one" })}.${part(claims)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey).toString("base64url")}`;
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://login.invalid");
  const token = pathname === "/token" ? issue(`http://${request.headers.host}`, searchParams) : undefined;
  if (pathname === "/keys")
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
  else if (token === undefined) response.writeHead(404).end();
  else response.end(token);
});
server.listen(Number(process.env.LOGIN_PORT ?? 3001), "127.0.0.1");
await once(server, "listening");
console.log(`Its login, which is not: http://127.0.0.1:${server.address().port}`);
