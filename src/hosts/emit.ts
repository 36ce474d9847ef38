import { emitCaddy } from "./caddy/emit.ts";
import type { CaddyOptions } from "./caddy/emit.ts";
import { emitCloudflare } from "./cloudflare/emit.ts";
import type { CloudflareOptions } from "./cloudflare/emit.ts";
import { hostsError, shown } from "./errors.ts";
import { hostLimits } from "./limits.ts";
import { emitNetlify } from "./netlify/emit.ts";
import { emitNginx } from "./nginx/emit.ts";
import type { NginxOptions } from "./nginx/emit.ts";
import type { DeclaredSite, Emission, HostName } from "./site.ts";
import { emitVercel } from "./vercel/emit.ts";

/** Options of {@link emitHost}, by host. */
export interface EmitOptions {
  nginx?: NginxOptions;
  caddy?: CaddyOptions;
  cloudflare?: CloudflareOptions;
}

/** The hosts that files can be emitted for. */
export const hostNames: readonly HostName[] = ["nginx", "caddy", "cloudflare", "netlify", "vercel"];

/**
 * Writes what a host needs to serve a site as the edge would: its own files, and where the site's bytes go. Whatever the host
 * would refuse, drop or take for something else is an error here, with the path.
 *
 * @throws {CurtainwallError} with a code of {@link HostsErrorCode}
 */
export function emitHost(host: HostName, site: DeclaredSite, options: EmitOptions = {}): Emission {
  assertNoOwnHeaders(host, site);
  switch (host) {
    case "nginx":
      return emitNginx(site, options.nginx);
    case "caddy":
      return emitCaddy(site, options.caddy);
    case "cloudflare":
      return emitCloudflare(site, options.cloudflare);
    case "netlify":
      return emitNetlify(site);
    case "vercel":
      return emitVercel(site);
  }
}

/** What a host sets itself it takes from nobody, and most of them drop it without a word. */
function assertNoOwnHeaders(host: HostName, { files }: DeclaredSite): void {
  const own = new Set(hostLimits[host].ownHeaders);
  for (const { path, headers } of files) {
    const name = headers.find(([header]) => own.has(header))?.[0];
    if (name !== undefined)
      throw hostsError(
        "HOSTS_HEADER_REFUSED",
        `The header ${name} of ${shown(path)} can't be emitted: ${host} sets it itself.`,
        "Leave it out",
      );
  }
}
