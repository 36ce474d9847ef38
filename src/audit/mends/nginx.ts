import type { MendRoute } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "nginx", code: text });

/** `limit_req` counts by second or minute. */
const rate = ({ count, windowMs }: MendRoute): string => {
  const perSecond = (count * 1000) / windowMs;
  return perSecond >= 1 ? `${Math.floor(perSecond)}r/s` : `${Math.max(1, Math.floor(perSecond * 60))}r/m`;
};

/** nginx before an app, or alone before files. */
export const nginx: Snippets = {
  headers: ({ headers }) =>
    code(
      "in server { }; a location with an add_header of its own inherits none of these",
      `server_tokens off;
${headers.map(([name, value]) => `add_header ${name} "${value}" always;`).join("\n")}`,
    ),
  limits: ({ routes }) => {
    const [slowest] = routes.toSorted(
      (left, right) => left.count / left.windowMs - right.count / right.windowMs,
    );
    return code(
      "the zone in http { }, the other two lines in location /api/ { }",
      `limit_req_zone $binary_remote_addr zone=clients:10m rate=${slowest === undefined ? "1r/s" : rate(slowest)};

limit_req zone=clients burst=${slowest?.count ?? 60} nodelay;
limit_req_status 429;`,
    );
  },
  body: ({ maxBodyBytes }) => code("in location /api/ { }", `client_max_body_size ${maxBodyBytes};`),
  "slow clients": () =>
    code(
      "in server { }",
      `client_header_timeout 5s;
client_body_timeout 10s;
send_timeout 30s;`,
    ),
  tls: () =>
    code(
      "in server { }, and a second server that only redirects",
      `listen 443 ssl;
http2 on;
ssl_protocols TLSv1.3;`,
    ),
  files: () =>
    code(
      "in server { }; and root is the folder that is built, not the project's",
      `location ~ /\\.(?!well-known/) { return 404; }
location ~ \\.(?:map|env|ts|bak|log|sqlite)$ { return 404; }`,
    ),
};
