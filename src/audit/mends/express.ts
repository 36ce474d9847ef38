import { allowances, parseJson, portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { MendRoute, MendSettings } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "js", code: text });

const paths = ({ routes }: MendSettings): string[] => [...new Set(routes.map(({ path }) => path))];
const methodsOf = ({ routes }: MendSettings): string =>
  [...new Set(routes.map(({ method }) => method))].join(", ");
const limitLine = ({ method, path, count, windowMs }: MendRoute): string =>
  `app.${method.toLowerCase()}(${js(path)}, limited(${count}, ${windowMs}));`;

/** Express 5. Refusals go to `next` as `{ status }`, and are written in one place, which is the mend for errors. */
export const express: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "first of all middleware",
      `const securityHeaders = ${JSON.stringify(Object.fromEntries(headers), undefined, 2)};

app.disable("x-powered-by");
app.use((request, response, next) => {
  response.set(securityHeaders);
  next();
});`,
    ),
  cors: (settings) =>
    code(
      "before the routes, instead of what answers for CORS now",
      `const allowedOrigins = new Set(${js(settings.origins)});

app.use((request, response, next) => {
  response.vary("Origin");
  const { origin } = request.headers;
  const isAllowed = allowedOrigins.has(origin);
  if (isAllowed) response.set("Access-Control-Allow-Origin", origin);
  if (request.method !== "OPTIONS" || origin === undefined) return next();
  if (!isAllowed) return next({ status: 403 });
  response
    .set("Access-Control-Allow-Methods", ${js(methodsOf(settings))})
    .set("Access-Control-Allow-Headers", "Authorization, Content-Type")
    .sendStatus(204);
});`,
    ),
  limits: ({ routes }) =>
    code(
      'before the routes. Behind a proxy of yours:  app.set("trust proxy", 1)',
      `${allowances}

const limited = (count, windowMs) => {
  const limit = createLimit(count, windowMs);
  return (request, response, next) => {
    const waitMs = limit(request.ip);
    if (waitMs === 0) return next();
    response.set("Retry-After", String(Math.ceil(waitMs / 1000)));
    next({ status: 429 });
  };
};

${routes.map(limitLine).join("\n")}`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "before the routes, instead of express.json()",
      `${parseJson}

const isJson = /^application\\/json(?: *; *charset="?utf-8"?)?$/i;

app.use(express.raw({ limit: ${maxBodyBytes}, type: () => true, inflate: false }));
app.use((request, response, next) => {
  const bytes = request.body;
  request.body = undefined;
  if (!(bytes?.length > 0)) return next();
  if (!isJson.test(request.headers["content-type"] ?? "")) return next({ status: 415 });
  try {
    request.body = parseJson(bytes);
    next();
  } catch {
    next({ status: 400 });
  }
});`,
    ),
  tokens: (settings) =>
    code(
      "in each protected route:  app.get(path, signedIn, …)",
      `${userOf(settings)}

async function signedIn(request, response, next) {
  request.user = await userOf(request.headers.authorization);
  next(request.user === undefined ? { status: 401 } : undefined);
}`,
    ),
  input: (settings) => {
    const { where, code: text = "" } = portable.input?.(settings) ?? {};
    return code(
      where ?? "",
      `${text}

/** In front of each route:  app.post("/api/reviews", checked({ body: Review }), …) */
const checked = (declared) => (request, response, next) =>
  next(isWellFormed(request.originalUrl) && isDeclared(request, declared) ? undefined : { status: 400 });`,
    );
  },
  answers: (settings) => {
    const { where, code: text = "" } = portable.answers?.(settings) ?? {};
    return code(
      where ?? "",
      `${text}

// An ETag is part of an answer, too: a route has one when its contract says so.
app.set("etag", false);`,
    );
  },
  methods: (settings) =>
    code(
      "after all routes",
      `for (const path of ${js(paths(settings))}) app.all(path, (request, response, next) => next({ status: 405 }));`,
    ),
  errors: () =>
    code(
      "last of all middleware",
      `import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";

app.use((request, response, next) => next({ status: 404 }));
app.use((error, request, response, next) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  const id = randomUUID();
  if (status === 500) console.error(id, error);
  if (response.headersSent) return next(error);
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, id }));
});`,
    ),
  files: () =>
    code(
      "instead of what serves the project's folder",
      `app.use(express.static(new URL("public/", import.meta.url).pathname, { dotfiles: "ignore" }));`,
    ),
  tls: () =>
    code(
      "instead of app.listen(…), with a certificate of the site's",
      `import { readFileSync } from "node:fs";
import { createServer } from "node:https";

createServer(
  { cert: readFileSync("site.crt"), key: readFileSync("site.key"), minVersion: "TLSv1.3" },
  app,
).listen(443);`,
    ),
  "slow clients": ({ headers }) =>
    code(
      "instead of app.listen(…)",
      `import { createServer } from "node:http";

const times = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };
const server = createServer(times, app);
server.on("clientError", (error, socket) => {
  const headers = ${js(headers.map(([name, value]) => `${name}: ${value}\r\n`).join(""))};
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\\r\\nconnection: close\\r\\n" + headers + "\\r\\n");
});
server.listen(process.env.PORT);`,
    ),
};
