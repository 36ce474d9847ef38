import { CurtainwallError } from "../shared/index.ts";
import type { EdgeErrorCode } from "./errors.ts";

/**
 * Lists the values of Host that name this site.
 *
 * @param aliases further hosts. One without a port is meant on the origin's port.
 * @throws {CurtainwallError} `EDGE_OPTION_INVALID` when the origin is no https origin or an alias is no host.
 */
export function acceptedHosts(origin: string, aliases: readonly string[] = []): ReadonlySet<string> {
  const url = URL.parse(origin);
  if (url === null || url.protocol !== "https:" || url.origin !== origin.toLowerCase().replace(/\/$/, "")) {
    throw new CurtainwallError<EdgeErrorCode>(
      "EDGE_OPTION_INVALID",
      `The edge's origin ${JSON.stringify(origin)} is not an https origin.`,
      { hint: 'Write it like "https://www.example.org" or "https://localhost:8443", without a path.' },
    );
  }
  const hosts = new Set<string>();
  for (const host of [url.host, ...aliases]) add(hosts, host, url.port);
  return hosts;
}

function add(hosts: Set<string>, host: string, defaultPort: string): void {
  const url = URL.parse(`https://${host}/`);
  const hasPort = /:[0-9]+$/.test(host);
  if (
    url === null ||
    url.hostname === "" ||
    url.pathname !== "/" ||
    host.includes("/") ||
    host.includes("@")
  ) {
    throw new CurtainwallError<EdgeErrorCode>(
      "EDGE_OPTION_INVALID",
      `The edge's alias ${JSON.stringify(host)} is not a host.`,
      { hint: 'Write it like "example.org", "127.0.0.1" or "[::1]:8443".' },
    );
  }
  const port = hasPort ? url.port : defaultPort;
  if (port === "") {
    hosts.add(url.hostname);
    hosts.add(`${url.hostname}:443`);
  } else {
    hosts.add(`${url.hostname}:${port}`);
  }
}

/** Tells whether a Host or `:authority` names this site. */
export function isAcceptedHost(hosts: ReadonlySet<string>, host: string): boolean {
  return hosts.has(host) || hosts.has(host.toLowerCase());
}
