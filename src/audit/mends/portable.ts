import { js } from "./settings.ts";
import type { MendSettings } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

// What is the same in every framework on Node: plain functions, to be called where the framework has the value.

const code = (where: string, text: string): Snippet => ({ where, language: "js", code: text });

/** Verifies a bearer token, and says whose it is. */
export const userOf = (
  settings: MendSettings,
): string => `import { createRemoteJWKSet, jwtVerify } from "jose";

const keys = createRemoteJWKSet(new URL(${js(settings.keysUrl)}));

/** Whose token it is; undefined for none, and for any that is not what it has to be. */
async function userOf(authorization = "") {
  const token = /^Bearer ([\\w.-]+)$/i.exec(authorization)?.[1] ?? "";
  const verified = await jwtVerify(token, keys, {
    issuer: ${js(settings.issuer)},
    audience: ${js(settings.audience)},
    algorithms: ${js(settings.algorithms)},
    requiredClaims: ["sub", "exp"],
  }).catch(() => undefined);
  if (verified === undefined) return undefined;
  const { sub, ${js(settings.rolesClaim)}: roles } = verified.payload;
  return { id: sub, roles: Array.isArray(roles) ? roles : [] };
}`;

/** Allowances that grow again evenly. At most so many clients are remembered, the one seen longest ago is forgotten. */
export const allowances = `/** Milliseconds to wait; 0 for a request that is within the allowance. */
function createLimit(count, windowMs, maxClients = 10_000) {
  const clients = new Map();
  return (client, now = Date.now()) => {
    const { left = count, at = now } = clients.get(client) ?? {};
    const grown = Math.min(count, left + ((now - at) * count) / windowMs);
    clients.delete(client);
    clients.set(client, { left: Math.max(0, grown - 1), at: now });
    if (clients.size > maxClients) clients.delete(clients.keys().next().value);
    return grown >= 1 ? 0 : Math.ceil(((1 - grown) * windowMs) / count);
  };
}`;

/** Reads JSON that says each thing once. Throws for anything else. */
export const parseJson = `/** Parses a body of JSON: UTF-8, no key twice, none that names a prototype, at most 20 levels deep. */
function parseJson(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text, (key, part) => {
    if (!key.isWellFormed() || (typeof part === "string" && !part.isWellFormed())) throw new SyntaxError("half a character");
    return part;
  });
  const written = [...text.matchAll(/"(?:[^"\\\\]|\\\\.)*"(\\s*:)?/g)].filter(([, colon]) => colon !== undefined);
  if (countKeys(value) !== written.length) throw new SyntaxError("a key stands twice");
  return value;
}

function countKeys(value, depth = 0) {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > 20) throw new SyntaxError("too deep");
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.some((name) => /^(__proto__|constructor|prototype)$/.test(name))) throw new SyntaxError("a name of the language");
  return Object.values(value).reduce((sum, member) => sum + countKeys(member, depth + 1), names.length);
}`;

/** For every framework that runs on Node. */
export const portable: Snippets = {
  tokens: (settings) =>
    code("call it with the Authorization header before anything of a protected route runs", userOf(settings)),
  access: () =>
    code(
      "in each route, once the object is known, before anything of it is sent",
      `/** The owner decides, not that somebody is signed in: answer 404 where this is false. */
const mayHave = (user, ownerId) => user !== undefined && user.id === ownerId;

/** Answer 403 where this is false. */
const hasRole = (user, role) => user !== undefined && user.roles.includes(role);`,
    ),
  input: () =>
    code(
      "before the route's own code: answer 400 where it is false",
      `import { z } from "zod";

const nothing = z.strictObject({});

/** Whether an address is percent-encoded UTF-8 throughout. */
function isWellFormed(url) {
  try {
    return decodeURIComponent(url) !== "";
  } catch {
    return false;
  }
}

/** Whether a request is what its route declares, and has nothing beside it. */
function isDeclared({ params = {}, query = {}, body }, declared = {}) {
  return (
    (declared.params ?? nothing).safeParse({ ...params }).success &&
    (declared.query ?? nothing).safeParse({ ...query }).success &&
    (declared.body === undefined || declared.body.safeParse(body).success)
  );
}`,
    ),
  "sole lines": ({ headers }) =>
    code(
      "around what node:http calls:  createServer(saidOnce(listener)). A framework's own server takes a listener in its options, or the app is one",
      `/** Refuses what says twice whom it is for or who sends it, or another place in its first line: which was meant nobody can tell. */
function saidOnce(listener) {
  return (request, response) => {
    const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    const isTwice = ["host", "authorization"].some((sole) => names.indexOf(sole) !== names.lastIndexOf(sole));
    if (!isTwice && /^[/*]/.test(request.url)) return listener(request, response);
    response.writeHead(400, { ...${js(Object.fromEntries(headers))}, connection: "close" }).end();
  };
}`,
    ),
  answers: () =>
    code(
      "around everything that is sent",
      `import { z } from "zod";

/** What the schema names, and nothing else: z.object drops the rest. */
const only = (schema, value) => schema.parse(value);`,
    ),
};
