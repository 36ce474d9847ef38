import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "caddy", code: text });

/** Caddy 2 before an app, or alone before files. Limits are no part of it: they stay the app's. */
export const caddy: Snippets = {
  headers: ({ headers }) =>
    code(
      "in the site's block",
      `header {
	-Server
	defer
${headers.map(([name, value]) => `\t${name} "${value}"`).join("\n")}
}`,
    ),
  body: ({ maxBodyBytes }) =>
    code(
      "in the site's block",
      `request_body {
	max_size ${maxBodyBytes}
}`,
    ),
  "slow clients": () =>
    code(
      "in the global options, at the top of the Caddyfile",
      `{
	servers {
		timeouts {
			read_header 5s
			read_body 10s
		}
	}
}`,
    ),
  tls: () =>
    code(
      "in the site's block, whose address is https",
      `tls {
	protocols tls1.3
}`,
    ),
  files: () =>
    code(
      "in the site's block; and root is the folder that is built, not the project's",
      `@hidden path_regexp (^|/)\\.(?!well-known/)|\\.(map|env|ts|bak|log|sqlite)$
respond @hidden 404`,
    ),
};
