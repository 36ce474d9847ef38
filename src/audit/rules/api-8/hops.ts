import { isLoopbackHost } from "../../../contract/index.ts";
import { reasonOf } from "../../check.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Hop } from "../../probes/probe.ts";

/** Somewhere that the stack sends requests to: an upstream, or its issuer. */
interface HopBehind {
  at: string;
  url: URL;
  caFile: string | undefined;
}

function hops({ contract }: AuditContext): HopBehind[] {
  const upstreams = [...contract.upstreams.values()].flatMap(({ name, url, alternates = [], caFile }) =>
    [url, ...alternates].map((address) => ({ at: `upstreams.${name}`, url: address, caFile })),
  );
  const { identity } = contract;
  return identity === undefined
    ? upstreams
    : [...upstreams, { at: "identity", url: new URL(identity.issuer), caFile: identity.caFile }];
}

const withoutHops = (context: AuditContext): string | undefined =>
  hops(context).length === 0 ? "the contract names no upstream and no issuer" : undefined;

export const declaredHttps: Check = {
  name: "every hop is declared https",
  kind: "source",
  notApplicable: withoutHops,
  run: async (context, tally) => {
    for (const hop of hops(context)) {
      if (hop.url.protocol === "https:") tally.pass(declared(hop, `${hop.at} is https at ${hop.url.host}`));
      else judgePlain(context, hop, tally);
    }
  },
};

const declared = ({ at }: HopBehind, about: string): { kind: "contract"; about: string; at: string } => ({
  kind: "contract",
  about,
  at: `${at}.${at === "identity" ? "issuer" : "url"}`,
});

/**
 * A reason encrypts nothing: a hop to another host in clear text fails, whatever the contract says about it. Within this
 * machine nobody listens on the way, but nothing shows who answers on that port, so it is no pass either.
 */
function judgePlain({ contract }: AuditContext, hop: HopBehind, tally: Tally): void {
  const { at, url } = hop;
  const reason = contract.weakenings.find((weakening) => weakening.at === `${at}.insecureAllowHttp`)?.reason;
  if (reason !== undefined && isLoopbackHost(url.hostname))
    return tally.miss(
      `${at} is http on this machine (insecureAllowHttp: "${reason}"), and nothing shows who answers there`,
    );
  const says = reason === undefined ? "" : ` (insecureAllowHttp: "${reason}")`;
  tally.fail(declared(hop, `${at} is http to ${url.host}, readable on the way${says}`));
}

export const hopsSpeak13: Check = {
  name: "every https hop behind it speaks TLS 1.3 and verifies",
  kind: "live",
  attack: { kind: "tls", promise: "upstreams", per: "site" },
  isTransport: true,
  isActive: true,
  notApplicable: (context) =>
    withoutHops(context) ??
    (hops(context).some(({ url }) => url.protocol === "https:")
      ? undefined
      : "no hop is https: see what is declared"),
  run: async (context, tally) => {
    for (const hop of hops(context)) if (hop.url.protocol === "https:") await shakeHands(context, hop, tally);
  },
};

async function shakeHands(
  context: AuditContext,
  { at, url, caFile }: HopBehind,
  tally: Tally,
): Promise<void> {
  try {
    const facts = await context.tls.connect(await hopTo(context, { url, caFile }));
    tally.expect(facts.protocol === "TLSv1.3" && facts.certificateProblem === undefined, {
      kind: "measurement",
      about: `${at} at ${url.host}: ${facts.certificateProblem ?? "its certificate verifies"}`,
      value: `${facts.protocol}, ${facts.cipher}`,
    });
  } catch (error) {
    tally.miss(`${at} at ${url.host}: ${reasonOf(error)}`);
  }
}

/** A hop as the contract has it, to be connected to. */
export async function hopTo(
  context: AuditContext,
  { url, caFile }: Pick<HopBehind, "url" | "caFile">,
): Promise<Hop> {
  const ca = await context.hopAuthorities(caFile);
  return {
    host: url.hostname,
    port: Number(url.port === "" ? "443" : url.port),
    ...(ca === undefined ? {} : { ca }),
  };
}
