import { parseJson, portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "ts", code: text });

/** Next.js with route handlers. Limits need what all its instances share, so they belong to the server before it. */
export const next: Snippets = {
  ...portable,
  headers: ({ headers }) =>
    code(
      "next.config.ts. Pages with scripts of Next's own need a nonce for each answer, or their hashes",
      `const securityHeaders = ${JSON.stringify(
        headers.map(([key, value]) => ({ key, value })),
        undefined,
        2,
      )};

export default {
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
};`,
    ),
  cors: ({ origins, routes }) =>
    code(
      "proxy.ts (middleware.ts before Next 16)",
      `import { NextResponse } from "next/server";
import type { NextRequest } from "next/server";

const allowedOrigins = new Set(${js(origins)});

export function proxy(request: NextRequest) {
  const origin = request.headers.get("origin");
  const isAllowed = origin !== null && allowedOrigins.has(origin);
  const isPreflight = request.method === "OPTIONS" && origin !== null;
  const response = isPreflight ? new NextResponse(null, { status: isAllowed ? 204 : 403 }) : NextResponse.next();
  response.headers.append("Vary", "Origin");
  if (isAllowed) {
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.set("Access-Control-Allow-Methods", ${js([...new Set(routes.map(({ method }) => method))].join(", "))});
    response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
  }
  return response;
}

export const config = { matcher: "/api/:path*" };`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "in each route handler, instead of request.json()",
      `${parseJson}

/** The body, or undefined where it is too large or no JSON: answer 400. */
async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\\/json(?: *; *charset="?utf-8"?)?$/i.test(type) || request.body === null) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > ${maxBodyBytes}) return undefined;
    chunks.push(chunk);
  }
  try {
    return parseJson(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}`,
    ),
  tokens: (settings) =>
    code(
      "in each protected route handler: answer 401 where it is undefined. A proxy or middleware alone is no guard",
      `${userOf(settings)}

const user = await userOf(request.headers.get("authorization") ?? "");`,
    ),
  errors: () =>
    code(
      "around each route handler:  export const GET = handled(async (request) => …)",
      `const refuse = (status: number, id: string = crypto.randomUUID()) =>
  new Response(JSON.stringify({ type: "about:blank", title: "Refused", status, id }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });

const handled =
  <T extends unknown[]>(handler: (...values: T) => Promise<Response>) =>
  async (...values: T): Promise<Response> => {
    try {
      return await handler(...values);
    } catch (error) {
      const id = crypto.randomUUID();
      console.error(id, error);
      return refuse(500, id);
    }
  };`,
    ),
};
