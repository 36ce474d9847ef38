import { answersOf } from "../answers.ts";
import { blobPlacements } from "../blobs.ts";
import { hostsError, shown } from "../errors.ts";
import type { DeclaredSite, Emission } from "../site.ts";
import { refuse } from "./answer.ts";
import type { Json } from "./json.ts";
import { caddyRoutes } from "./routes.ts";

/** Options of {@link emitCaddy}. */
export interface CaddyOptions {
  /** Where the emitted folder will lie on the server. Absolute. Default `/srv/curtainwall`. */
  folder?: string;
  /** The server's certificate and key. Absolute. Default: Caddy gets a certificate by itself. */
  certificate?: { chainFile: string; keyFile: string };
  /** What to listen on, as Caddy writes it. Default: the origin's port, `:443`. */
  listen?: readonly string[];
  /**
   * A socket for `caddy reload`, in a folder that only Caddy's user may enter: whoever reaches it can change everything. Absolute.
   * Default none: Caddy is restarted to deploy.
   */
  adminSocket?: string;
}

/**
 * Writes Caddy's configuration of a site, in JSON: a Caddyfile replaces `{$NAME}` by the environment's before it is read, even in
 * quotes. As with nginx, bytes lie in `blobs/` under their SHA-256 and paths are looked up in a map.
 *
 * @throws {CurtainwallError} `HOSTS_SITE_INVALID`, `HOSTS_PATH_REFUSED`, `HOSTS_HEADER_REFUSED` or `HOSTS_OPTION_INVALID`
 */
export function emitCaddy(site: DeclaredSite, options: CaddyOptions = {}): Emission {
  const answers = answersOf(site);
  const { folder = "/srv/curtainwall", certificate, listen = [`:${answers.port}`], adminSocket } = options;
  for (const path of [folder, certificate?.chainFile, certificate?.keyFile, adminSocket])
    if (path !== undefined) assertPlace(path);
  const server: Json = {
    listen,
    protocols: ["h1", "h2"],
    routes: [
      ...(certificate === undefined ? [named(answers.hostname)] : []),
      ...caddyRoutes(answers, folder),
    ],
    errors: { routes: [{ handle: [refuse("{http.error.status_code}", answers.refusalHeaders)] }] },
    tls_connection_policies: [{ protocol_min: "tls1.3" }],
    ...(certificate === undefined ? {} : { automatic_https: { disable: true } }),
  };
  const tls: Record<string, Json> =
    certificate === undefined
      ? {}
      : {
          tls: {
            certificates: {
              load_files: [{ certificate: certificate.chainFile, key: certificate.keyFile }],
            },
          },
        };
  const config: Json = {
    admin: adminSocket === undefined ? { disabled: true } : { listen: `unix/${adminSocket}` },
    apps: { http: { servers: { curtainwall: server } }, ...tls },
  };
  return {
    host: "caddy",
    files: [{ path: "caddy.json", text: `${JSON.stringify(config)}\n` }],
    placements: blobPlacements(answers.files),
    notes: [
      `Copy everything to ${folder}, then: caddy validate --config ${folder}/caddy.json, and run Caddy with it. ${adminSocket === undefined ? "Its admin interface is off: restart it to deploy" : `To deploy: caddy reload --config ${folder}/caddy.json --address unix/${adminSocket}`}. Delete old blobs afterwards, not before.`,
    ],
  };
}

/** Does nothing but name the host: Caddy gets certificates for the hosts that routes ask for, not for those that they turn away. */
const named = (hostname: string): Json => ({ match: [{ host: [hostname] }] });

function assertPlace(path: string): void {
  if (/^\/[^\p{Cc}{}]*$/u.test(path)) return;
  throw hostsError(
    "HOSTS_OPTION_INVALID",
    `The options don't work: Caddy can't be given the path ${shown(path)}.`,
    "Write an absolute path without braces, for example /srv/site",
  );
}
