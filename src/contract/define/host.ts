/** How much of the security log is kept. */
export interface LedgerOptions {
  /** Size at which the log's file is moved out of the way and a new one begun, in bytes, from 65 536. Default 67 108 864. */
  maxFileBytes?: number;
  /** Files kept beside the one that is written to, 1 to 999; the oldest goes first. Default 8. */
  keepFiles?: number;
  /**
   * A file on other storage that remembers the last signature over the log, so that a log is noticed that was cut off or taken back together with what the
   * supervisor remembers. Its folder must be there. Default: none.
   */
  witness?: { file: string };
}

/** Where browsers report what a page's policy refused. */
export interface ReportsOptions {
  /** A path that the stack answers itself; it need not be below the API. Default `"/_reports"`. */
  path?: string;
}

/** How the edge listens. */
export interface EdgeOptions {
  /** Addresses to listen on. Default: loopback if the origin is localhost, else all. */
  addresses?: readonly string[];
  /** HTTPS port. Default: the origin's. */
  port?: number;
  /** Port that redirects to HTTPS, or false. Default 80 when the HTTPS port is 443, else false. */
  redirectPort?: number | false;
  /** Threads that serve. Default: one a core. */
  threads?: number;
  /**
   * PEM files, relative to the contract; reloaded when they change. Without them a development certificate is made, and the site
   * starts only where nobody but this machine reaches it: an origin or addresses on loopback.
   */
  certificate?: { certFile: string; keyFile: string };
  /** Counters kept at once, one for each client and limit that it meets; then the one idle longest gives way. Default 100 000. */
  maxClients?: number;
  /**
   * The proxies that visitors come through: a balancer, a CDN, an nginx. `"none"` says that there are none, where the edge would not
   * believe it. Default: none, so that a connection's address is its client.
   */
  proxies?: ProxyOptions | "none";
  /** How many bits of an IPv6 address name one client, 16 to 128. Default 64, the least that a customer is given. */
  ipv6Prefix?: number;
}

/** Proxies in front of the edge, and how they say whose request it is. */
export interface ProxyOptions {
  /**
   * Their addresses and networks, like `["10.0.0.0/8", "2001:db8::7"]`: who comes from elsewhere is a client. Or how many of them stand in a
   * row, 1 to 8, where their addresses can't be known: then nobody but they must be able to reach the edge.
   */
  trusted: number | readonly string[];
  /** Where they write the client's address. `"proxy-protocol"`: before TLS, in version 1 or 2; then `trusted` is a list. */
  clientFrom: "x-forwarded-for" | "forwarded" | "proxy-protocol";
}

/** Public keys, each `ed25519:…` as `curtainwall key show` prints it, or the line of an OpenSSH public key file. */
export interface KeysOptions {
  /** Signs what may run: its private half stays with the developer, off the host. */
  program: string;
  /** Signs each content release: its private half is on the host that publishes. */
  release: string;
}

/** What the leak gate lets pass. */
export interface LeakOptions {
  /** Hits that are none, each with its reason, until a day. Default: none. */
  allow?: readonly LeakException[];
  /** Source maps that are published on purpose: paths, with `*` and `**`. Default: none. */
  publicSourceMaps?: readonly string[];
  /**
   * Marks written into fields that nobody may read, say a column of each table: an answer of the API that has one does not leave. 12 to 128
   * letters, digits, `-` or `_`. Default: none.
   */
  canaries?: readonly string[];
}

/** Lets one rule of the leak gate pass, in some files, until a day. */
export interface LeakException {
  /** The rule as the gate names it, like `token-google-api`. */
  rule: string;
  /** A path of the release; `*` stands for anything but `/`, `**` for anything. */
  path: string;
  reason: string;
  /** The last day on which it counts, in UTC: `2027-01-31`. */
  expires: string;
}
