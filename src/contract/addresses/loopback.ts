const names = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** Tells whether a host is this machine's own, by its name or as a literal address: nobody else can reach it under that name. */
export function isLoopbackHost(host: string): boolean {
  return names.has(host) || host.endsWith(".localhost") || /^127(?:\.\d{1,3}){3}$/.test(host);
}
