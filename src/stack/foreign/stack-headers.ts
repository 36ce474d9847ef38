import { baseSecurityHeaders } from "../../contract/index.ts";
import type { Contract, Header } from "../../contract/index.ts";

/**
 * Turns the headers of a hardened file, which any host could serve, into those that this stack serves it with:
 *
 * - pages that run scripts may call the stack's own API, whose routes are checked one by one;
 * - the site's HSTS counts, as for every other answer of the edge.
 *
 * What is equal comes out as one object, so that a release says it once.
 */
export function createStackHeaders({
  routes,
}: Pick<Contract, "routes">): (headers: readonly Header[]) => readonly Header[] {
  const known = new Map<readonly Header[], readonly Header[]>();
  const convert = (headers: readonly Header[]): readonly Header[] => {
    const strict = headers.map((header) => ownTransport.get(header[0]) ?? header);
    return routes.length === 0 || !isPage(headers) ? strict : strict.map(withApi);
  };
  return (headers) => {
    const made = known.get(headers) ?? convert(headers);
    known.set(headers, made);
    return made;
  };
}

const ownTransport: ReadonlyMap<string, Header> = new Map(
  baseSecurityHeaders
    .filter(([name]) => name === "strict-transport-security")
    .map((header) => [header[0], header]),
);

const isPage = (headers: readonly Header[]): boolean =>
  headers.some(
    ([name, value]) => name === "content-type" && /^(?:text\/html|application\/xhtml)/.test(value),
  );

function withApi([name, value]: Header): Header {
  return name === "content-security-policy" ? [name, allowOwnConnections(value)] : [name, value];
}

/** A page without scripts connects to nothing. */
function allowOwnConnections(policy: string): string {
  const directives = policy.split("; ");
  if (!directives.some((directive) => /^script-src(?:-attr)? (?!'none'$)/.test(directive))) return policy;
  const at = directives.findIndex((directive) => directive.startsWith("connect-src "));
  if (at < 0) return `${policy}; connect-src 'self'`;
  const sources = (directives[at] ?? "").split(" ").slice(1);
  const others = sources.filter((source) => source !== "'self'" && source !== "'none'");
  return directives.with(at, ["connect-src", "'self'", ...others].join(" ")).join("; ");
}
