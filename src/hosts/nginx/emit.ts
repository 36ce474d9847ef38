import { answersOf } from "../answers.ts";
import { blobPlacements } from "../blobs.ts";
import type { DeclaredSite, Emission } from "../site.ts";
import { nginxMaps } from "./maps.ts";
import { nginxServer, nginxSite } from "./server.ts";

/** Options of {@link emitNginx}. */
export interface NginxOptions {
  /** Where the emitted folder will lie on the server. Absolute. Default `/srv/curtainwall`. */
  folder?: string;
  /** The server's certificate and key. Absolute. Default `/etc/curtainwall/chain.pem` and `key.pem`. */
  certificate?: { chainFile: string; keyFile: string };
  /** What to listen on, as nginx writes it. Default: the origin's port, of IPv4 and IPv6, with HTTP/2. */
  listen?: readonly string[];
}

/**
 * Writes nginx's configuration of a site. nginx looks a path up in a map, never on the disk: bytes lie in `blobs/` under
 * their SHA-256, so that no name can be misread and what is not declared is 404. It answers with the edge's headers and
 * encodings, brotli included, and needs no module that Debian's nginx lacks.
 *
 * @throws {CurtainwallError} `HOSTS_SITE_INVALID`, `HOSTS_PATH_REFUSED`, `HOSTS_HEADER_REFUSED`, `HOSTS_LIMIT_EXCEEDED` or
 *   `HOSTS_OPTION_INVALID` for what nginx would refuse, or serve otherwise
 */
export function emitNginx(site: DeclaredSite, options: NginxOptions = {}): Emission {
  const answers = answersOf(site);
  const { port } = answers;
  const {
    folder = "/srv/curtainwall",
    certificate,
    listen = [`${port} ssl http2`, `[::]:${port} ssl http2`],
  } = options;
  const maps = nginxMaps(answers);
  const place = {
    folder,
    listen,
    chainFile: certificate?.chainFile ?? "/etc/curtainwall/chain.pem",
    keyFile: certificate?.keyFile ?? "/etc/curtainwall/key.pem",
  };
  return {
    host: "nginx",
    files: [
      { path: "nginx/http.conf", text: maps.text },
      { path: "nginx/server.conf", text: nginxServer(answers, maps, place) },
      { path: "nginx/site.conf", text: nginxSite(answers, place) },
    ],
    placements: blobPlacements(answers.files),
    notes: [
      `Copy everything to ${folder}, include nginx/site.conf in http {}, then: nginx -t && nginx -s reload. Delete old blobs after the reload, not before.`,
      "With a server {} of your own, include nginx/http.conf in http {} and nginx/server.conf in the server. An add_header in one of its locations would drop all headers written here.",
    ],
  };
}
