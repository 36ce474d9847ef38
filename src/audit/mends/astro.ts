import { next } from "./next.ts";
import { portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "ts", code: text });

/** Astro with a server adapter. A static site's headers are its host's: see nginx and Caddy. */
export const astro: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "src/middleware.ts; prerendered pages get their headers from the host",
      `import { defineMiddleware } from "astro:middleware";

export const onRequest = defineMiddleware(async (context, next) => {
  const response = await next();
  for (const [name, value] of ${js(headers)}) response.headers.set(name, value);
  return response;
});`,
    ),
  cors: ({ origins }) =>
    code(
      "src/middleware.ts",
      `import { defineMiddleware } from "astro:middleware";

const allowedOrigins = new Set(${js(origins)});

export const onRequest = defineMiddleware(async ({ request }, next) => {
  const origin = request.headers.get("origin");
  const isAllowed = origin !== null && allowedOrigins.has(origin);
  const isPreflight = request.method === "OPTIONS" && origin !== null;
  const response = isPreflight ? new Response(null, { status: isAllowed ? 204 : 403 }) : await next();
  response.headers.append("Vary", "Origin");
  if (isAllowed) response.headers.set("Access-Control-Allow-Origin", origin);
  return response;
});`,
    ),
  tokens: (settings) =>
    code(
      "in each protected endpoint: answer 401 where it is undefined",
      `${userOf(settings)}

const user = await userOf(request.headers.get("authorization") ?? "");`,
    ),
  ...(next.body === undefined ? {} : { body: next.body }),
  ...(next.errors === undefined ? {} : { errors: next.errors }),
};
