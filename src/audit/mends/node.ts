import { allowances, parseJson, portable } from "./portable.ts";
import { js } from "./settings.ts";
import type { MendRoute, MendSettings } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "js", code: text });

/** A route's path as a regular expression: parameters are what has no slash. */
const pattern = ({ path }: MendRoute): string =>
  `/^${path
    .replaceAll(/[.*+?^$()|[\]{}\\]/g, "\\$&")
    .replaceAll(/:\w+/g, "[^/]+")
    .replaceAll("/", "\\/")}$/`;
const limitLine = (route: MendRoute): string =>
  `  [${js(route.method)}, ${pattern(route)}, createLimit(${route.count}, ${route.windowMs})],`;
const methodLines = ({ routes }: MendSettings): string =>
  [...Map.groupBy(routes, pattern)]
    .map(([path, found]) => `  [${path}, ${js(found.map(({ method }) => method))}],`)
    .join("\n");

/** `node:http` alone: functions that the listener calls in turn, and which say whether they have answered. */
export const node: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "first in the listener:  setSecurityHeaders(response)",
      `const securityHeaders = new Headers(${JSON.stringify(Object.fromEntries(headers), undefined, 2)});

function setSecurityHeaders(response) {
  response.setHeaders(securityHeaders);
}`,
    ),
  cors: (settings) =>
    code(
      "in the listener, before anything answers:  if (answersCors(request, response)) return;",
      `const allowedOrigins = new Set(${js(settings.origins)});

/** Says which origins may read the answer, and answers preflights itself. */
function answersCors(request, response) {
  const { origin } = request.headers;
  const isAllowed = allowedOrigins.has(origin);
  response.appendHeader("vary", "Origin");
  if (isAllowed) response.setHeader("access-control-allow-origin", origin);
  if (request.method !== "OPTIONS" || origin === undefined) return false;
  response.statusCode = isAllowed ? 204 : 403;
  if (isAllowed) {
    response.setHeader("access-control-allow-methods", ${js([...new Set(settings.routes.map(({ method }) => method))].join(", "))});
    response.setHeader("access-control-allow-headers", "Authorization, Content-Type");
  }
  response.end();
  return true;
}`,
    ),
  limits: ({ routes }) =>
    code(
      "in the listener, before the body is read:  const waitMs = waitFor(request); answer 429 with Retry-After where it is not 0",
      `${allowances}

const limits = [
${routes.map(limitLine).join("\n")}
];

/** By the connection's own address. Behind a proxy of yours, take the last address that it appended instead. */
function waitFor(request) {
  const [path] = request.url.split("?");
  const found = limits.find(([method, pattern]) => method === request.method && pattern.test(path));
  return found === undefined ? 0 : found[2](request.socket.remoteAddress);
}`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "in the listener:  const body = await readJson(request); answer error.status where it throws",
      `${parseJson}

const isJson = /^application\\/json(?: *; *charset="?utf-8"?)?$/i;
const refusal = (status) => Object.assign(new Error("refused"), { status });

/** The body, or undefined where there is none. */
async function readJson(request, maxBytes = ${maxBodyBytes}) {
  const { "content-length": length = "0", "content-type": type = "", "content-encoding": encoding } = request.headers;
  if (length === "0" && !("transfer-encoding" in request.headers)) return undefined;
  if (!isJson.test(type) || encoding !== undefined) throw refusal(415);
  const chunks = [];
  let bytes = Number(length);
  for await (const chunk of bytes > maxBytes ? [] : request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    bytes = Math.max(bytes, chunks.reduce((sum, one) => sum + one.length, 0));
    if (bytes > maxBytes) break;
  }
  if (bytes > maxBytes) throw refusal(413);
  try {
    return parseJson(Buffer.concat(chunks));
  } catch {
    throw refusal(400);
  }
}`,
    ),
  methods: (settings) =>
    code(
      "in the listener: answer 405 where it is true",
      `const methods = [
${methodLines(settings)}
];

function isOtherMethod({ method, url }) {
  const found = methods.find(([pattern]) => pattern.test(url.split("?")[0]));
  return found !== undefined && !found[1].includes(method) && method !== "OPTIONS";
}`,
    ),
  errors: () =>
    code(
      "wherever something is refused or fails:  refuse(response, 404)",
      `import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";

/** One shape for all errors. What happened is for the log, under the same id. */
function refuse(response, status, cause) {
  const id = randomUUID();
  if (status >= 500) console.error(id, cause);
  if (response.headersSent) return response.destroy();
  response.statusCode = status;
  response.setHeader("content-type", "application/problem+json");
  response.end(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, id }));
}`,
    ),
  files: () =>
    code(
      "before a file is opened: answer 404 where it is undefined",
      `import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("public/", import.meta.url));

/** The file behind an address, if it lies in the public folder and no part of its name begins with a dot. */
function publicFile(url) {
  try {
    const path = decodeURIComponent(url.split("?")[0]);
    const file = resolve(folder, "." + (path.endsWith("/") ? path + "index.html" : path));
    return file.startsWith(folder) && !path.includes("\\0") && !path.includes("/.") ? file : undefined;
  } catch {
    return undefined;
  }
}`,
    ),
  tls: () =>
    code(
      "instead of node:http's, with a certificate of the site's",
      `import { readFileSync } from "node:fs";
import { createServer } from "node:https";

createServer(
  { cert: readFileSync("site.crt"), key: readFileSync("site.key"), minVersion: "TLSv1.3" },
  listener,
).listen(443);`,
    ),
  "slow clients": ({ headers }) =>
    code(
      "where the server is made:  createServer(times, listener), then endBroken(server)",
      `const times = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };

/** Also what is no HTTP is answered with the security headers. */
function endBroken(server) {
  server.on("clientError", (error, socket) => {
    const headers = ${js(headers.map(([name, value]) => `${name}: ${value}\r\n`).join(""))};
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\\r\\nconnection: close\\r\\n" + headers + "\\r\\n");
  });
}`,
    ),
};
