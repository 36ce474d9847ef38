import { allowances, parseJson, portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "js", code: text });

/** Hono 4, on any runtime; its limits ask Node's adapter for the address. */
export const hono: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "first of all middleware",
      `app.use(async (c, next) => {
  await next();
  for (const [name, value] of ${js(headers)}) c.header(name, value);
});`,
    ),
  cors: ({ origins, routes }) =>
    code(
      "before the routes",
      `import { cors } from "hono/cors";

app.use("/api/*", cors({
  origin: ${js(origins)},
  allowMethods: ${js([...new Set(routes.map(({ method }) => method))])},
  allowHeaders: ["Authorization", "Content-Type"],
}));`,
    ),
  limits: ({ routes }) =>
    code(
      "before the routes",
      `import { getConnInfo } from "@hono/node-server/conninfo";

${allowances}

const limited = (count, windowMs) => {
  const limit = createLimit(count, windowMs);
  return async (c, next) => {
    const waitMs = limit(getConnInfo(c).remote.address);
    if (waitMs > 0) return c.body(null, 429, { "Retry-After": String(Math.ceil(waitMs / 1000)) });
    await next();
  };
};
${routes.map(({ method, path, count, windowMs }) => `app.on(${js(method)}, ${js(path)}, limited(${count}, ${windowMs}));`).join("\n")}`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "before the routes; then  const body = await readJson(c)",
      `import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";

${parseJson}

app.use(bodyLimit({ maxSize: ${maxBodyBytes} }));

async function readJson(c) {
  if (!/^application\\/json(?: *; *charset="?utf-8"?)?$/i.test(c.req.header("content-type") ?? "")) throw new HTTPException(415);
  try {
    return parseJson(new Uint8Array(await c.req.arrayBuffer()));
  } catch {
    throw new HTTPException(400);
  }
}`,
    ),
  tokens: (settings) =>
    code(
      "on each protected route:  app.get(path, signedIn, …)",
      `import { HTTPException } from "hono/http-exception";
${userOf(settings)}

async function signedIn(c, next) {
  const user = await userOf(c.req.header("authorization"));
  if (user === undefined) throw new HTTPException(401);
  c.set("user", user);
  await next();
}`,
    ),
  errors: () =>
    code(
      "anywhere in the app",
      `const refuse = (c, status, id = crypto.randomUUID()) =>
  c.body(JSON.stringify({ type: "about:blank", title: "Refused", status, id }), status, {
    "content-type": "application/problem+json",
  });

app.notFound((c) => refuse(c, 404));
app.onError((error, c) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  const id = crypto.randomUUID();
  if (status === 500) console.error(id, error);
  return refuse(c, status, id);
});`,
    ),
  files: () =>
    code(
      "instead of what serves the project's folder",
      `import { serveStatic } from "@hono/node-server/serve-static";

app.use("/*", serveStatic({ root: "./public" }));`,
    ),
};
