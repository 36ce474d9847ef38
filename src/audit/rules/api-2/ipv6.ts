import { isCurtainwallError, parseAddress, formatAddress } from "../../../shared/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { enoughFor, flood, judgeFlood, onLimits } from "./flood.ts";
import { smallestAllowance, withoutLimits } from "../limits.ts";
import { see } from "../shared.ts";

/** Addresses of a /64 are had by the billion: whoever has one of them has them all. */
export const ipv6: Check = {
  name: "IPv6 rotation inside a /64",
  kind: "live",
  isActive: true,
  attack: { ...onLimits, promise: "edge" },
  notApplicable: (context) =>
    withoutLimits("client")(context) ??
    (context.contract.edge.addresses.some((address) => address.includes(":"))
      ? undefined
      : "the contract has it listen on no IPv6 address"),
  lacks: ({ plan: { ipv6Prefix } }) =>
    ipv6Prefix === undefined
      ? "loopback has one IPv6 address; the plan names no network to come from (ipv6Prefix), which takes a network namespace of its own"
      : undefined,
  run: async (context, tally) => {
    const { ipv6Prefix } = context.plan;
    if (ipv6Prefix === undefined) return;
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    const plain = { ...(await context.caller.request(allowance.call)), at: atIpv6(context) };
    const problem = await unreachableFrom(context, { ...plain, client: addressIn(ipv6Prefix) }, ipv6Prefix);
    if (problem !== undefined) return tally.miss(problem);
    const seen = new Set<string>();
    const result = await flood(context, enoughFor(allowance), () => {
      const client = addressIn(ipv6Prefix);
      seen.add(client);
      // Each comes once: what is kept open would be hundreds of connections of one client.
      return { ...plain, client, headers: [...(plain.headers ?? []), ["connection", "close"]] };
    });
    judgeFlood(
      tally,
      allowance,
      result,
      `, each from another address of ${ipv6Prefix} (${seen.size} of them)`,
    );
    const response = await context.wire.send(plain);
    if (response.status >= 500)
      return tally.miss(
        `${allowance.route.key}: a client of another network was answered ${response.status}`,
      );
    tally.expect(
      response.status !== 429,
      see(context, `${allowance.route.key}: a client of another network (::1) is served meanwhile`, {
        request: plain,
        response,
      }),
    );
  },
};

/** The target by IPv6, on the same port. */
function atIpv6({ target }: AuditContext): string {
  const port = target.port === "" ? (target.protocol === "https:" ? "443" : "80") : target.port;
  return `${target.protocol}//[::1]:${port}`;
}

/** An address of a network that nobody has come from. */
function addressIn(network: string): string {
  const [text = "", length = "64"] = network.split("/");
  const bytes = Uint8Array.from(parseAddress(text) ?? new Uint8Array(16));
  const random = crypto.getRandomValues(new Uint8Array(16));
  for (let index = Math.ceil(Number(length) / 8); index < 16; index++) bytes[index] = random[index] ?? 0;
  return formatAddress(bytes);
}

async function unreachableFrom(
  context: AuditContext,
  request: Parameters<AuditContext["wire"]["send"]>[0],
  network: string,
): Promise<string | undefined> {
  try {
    await context.wire.send(request);
    return undefined;
  } catch (error) {
    const { code = "" } = (isCurtainwallError(error) ? (error.cause ?? {}) : {}) as { code?: string };
    return code === "EADDRNOTAVAIL" || code === "EINVAL" || code === "ENETUNREACH"
      ? `this machine has no address in ${network}; in a network namespace:  sysctl -w net.ipv6.ip_nonlocal_bind=1 && ip -6 route add local ${network} dev lo`
      : `${request.at} gives no answer to ${request.client} (${code || (error as Error).message})`;
  }
}
