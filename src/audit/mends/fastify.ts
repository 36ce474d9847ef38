import { parseJson, portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "js", code: text });

/** Fastify 5, with its own plugins where it has one. */
export const fastify: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "before the routes",
      `app.addHook("onRequest", async (request, reply) => {
  reply.headers(${JSON.stringify(Object.fromEntries(headers), undefined, 2).replaceAll("\n", "\n  ")});
});`,
    ),
  cors: ({ origins, routes }) =>
    code(
      "before the routes:  npm install @fastify/cors",
      `import cors from "@fastify/cors";

// A list, and no function that looks for a part of a name.
await app.register(cors, {
  origin: ${js(origins)},
  methods: ${js([...new Set(routes.map(({ method }) => method))])},
  allowedHeaders: ["Authorization", "Content-Type"],
});
app.addHook("onRequest", async (request, reply) => {
  reply.header("vary", "Origin");
});`,
    ),
  limits: ({ routes }) =>
    code(
      "before the routes:  npm install @fastify/rate-limit. trustProxy is for a proxy of yours alone",
      `import rateLimit from "@fastify/rate-limit";

await app.register(rateLimit, { global: false, keyGenerator: (request) => request.socket.remoteAddress });
${routes
  .map(
    ({ method, path, count, windowMs }) =>
      `// ${method} ${path}:  { config: { rateLimit: { max: ${count}, timeWindow: ${windowMs} } } }`,
  )
  .join("\n")}`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "where the app is made, and before the routes",
      `${parseJson}

const app = fastify({ bodyLimit: ${maxBodyBytes}, requestTimeout: 10_000 });
app.removeAllContentTypeParsers();
app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
  try {
    done(null, parseJson(body));
  } catch {
    done(Object.assign(new Error("no JSON"), { statusCode: 400 }));
  }
});`,
    ),
  tokens: (settings) =>
    code(
      "on each protected route:  { preHandler: signedIn }",
      `${userOf(settings)}

async function signedIn(request, reply) {
  request.user = await userOf(request.headers.authorization);
  if (request.user === undefined) throw Object.assign(new Error("no token"), { statusCode: 401 });
}`,
    ),
  errors: () =>
    code(
      "before the routes",
      `import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";

const refuse = (reply, status, id = randomUUID()) =>
  reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, id }));

app.setNotFoundHandler((request, reply) => refuse(reply, 404));
app.setErrorHandler((error, request, reply) => {
  const status = error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 500;
  const id = randomUUID();
  if (status === 500) request.log.error({ id, error });
  return refuse(reply, status, id);
});`,
    ),
  files: () =>
    code(
      "instead of what serves the project's folder",
      `import fastifyStatic from "@fastify/static";

await app.register(fastifyStatic, { root: new URL("public/", import.meta.url).pathname, dotfiles: "ignore" });`,
    ),
  "slow clients": () =>
    code(
      "where the app is made",
      `const app = fastify({
  connectionTimeout: 30_000,
  requestTimeout: 10_000,
  http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
});`,
    ),
};
