import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { noRelease, see } from "../shared.ts";

const maxFiles = 500;
const maxFileBytes = 4_194_304;
const readable =
  /^(?:text\/|application\/(?:javascript|json|manifest\+json|xml|[\w.-]+\+(?:json|xml))|image\/svg)/;

/** Names and networks that mean something on the inside alone (RFC 1918, RFC 6762, RFC 8375, RFC 9476, and names of one label). */
const inside =
  /^(?:localhost|[^.[\]]+|.*\.(?:localhost|local|localdomain|internal|lan|home\.arpa|svc|alt)|10\..*|127\..*|192\.168\..*|172\.(?:1[6-9]|2\d|3[01])\..*|169\.254\..*|\[(?:::1|f[cd].*|fe80.*)\])$/i;

/** Where requests go that visitors must not send themselves, as they would be written: with the port, if it is told. */
function addressesInside({ contract }: AuditContext): string[] {
  const upstreams = [...contract.upstreams.values()];
  const services = [
    ...upstreams.map(({ url }) => url),
    ...upstreams.flatMap(({ alternates = [] }) => alternates),
    ...[...contract.egressOrigins.keys()].map((origin) => new URL(origin)),
  ];
  const open = new Set([contract.origin, contract.identity?.issuer].map((address) => hostOf(address)));
  const hosts = services.filter(({ hostname }) => inside.test(hostname)).map(({ host }) => host);
  return [...new Set(hosts)].filter((host) => !open.has(host));
}

const hostOf = (address: string | undefined): string | undefined =>
  address === undefined ? undefined : new URL(address).host;

/** A page or a script that knows where a service lies behind the gateway was written to go round it, or tells others the way. */
export const insideAddresses: Check = {
  name: "addresses of services on the inside",
  kind: "live",
  isSupporting: true,
  notApplicable: (context) =>
    context.contract.site === undefined && context.release === undefined
      ? "the contract has no site"
      : addressesInside(context).length === 0
        ? "no service of the contract has an address that means something on the inside alone"
        : undefined,
  run: async (context, tally) => {
    const { release, caller } = context;
    if (release === undefined) return tally.miss(noRelease(context));
    const hosts = addressesInside(context).map((host) => ({ host, pattern: patternOf(host) }));
    const texts = release.manifest.files.filter(
      ({ headers, path }) =>
        path !== release.manifest.notFound &&
        headers.some(([name, value]) => name === "content-type" && readable.test(value)),
    );
    if (texts.length > maxFiles) tally.miss(`only ${maxFiles} of ${texts.length} files are read`);
    let clean = 0;
    for (const { path } of texts.slice(0, maxFiles)) {
      const exchange = await caller.send(
        { method: "GET", path: encodeURI(path), maxBytes: maxFileBytes },
        { name: "the release's files", burst: 1000, isPerUser: false },
      );
      const text = exchange.response.text();
      const found = hosts.filter(({ pattern }) => pattern.test(text)).map(({ host }) => host);
      if (found.length === 0) clean++;
      else tally.fail(see(context, `${path} tells the address of ${found.join(", ")}`, exchange));
    }
    if (clean > 0)
      tally.pass({
        kind: "measurement",
        about: `texts that tell none of ${hosts.map(({ host }) => host).join(", ")}`,
        value: clean,
        unit: `of ${Math.min(texts.length, maxFiles)}`,
      });
  },
};

/** As a word of its own, with a scheme before it or a port behind it: a name of one label is a word of prose too. */
function patternOf(host: string): RegExp {
  const text = RegExp.escape(host);
  return host.includes(":")
    ? new RegExp(`(?<![\\w.-])${text}(?!\\d)`, "i")
    : new RegExp(`//${text}(?![\\w.-])`, "i");
}
