import type { ContractUpstream } from "../contract.ts";
import { networkOfHost } from "../addresses/network.ts";
import type { ServiceNetwork } from "../addresses/network.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import type { Problems } from "./problems.ts";
import { parseUrl } from "./url.ts";
import { quote, weakened } from "./values.ts";
import type { Members } from "./values.ts";

const maxUrls = 16;
const networks: readonly unknown[] = ["public", "private", "loopback"] satisfies ServiceNetwork[];

/** Reads where an upstream listens, and in which network that lies. */
export function parseAddresses(
  problems: Problems,
  where: string,
  { url, network, insecureAllowHttp }: Members,
): Pick<ContractUpstream, "url" | "alternates" | "network"> {
  const allowHttp = weakened(problems, `${where}.insecureAllowHttp`, insecureAllowHttp);
  const given: readonly unknown[] = Array.isArray(url) && url.length > 0 ? url : [url];
  const urls = given.map((entry, index) =>
    parseUrl(problems, given.length > 1 ? `${where}.url[${index}]` : `${where}.url`, entry, allowHttp),
  );
  const declared = parseNetwork(problems, where, network);
  for (const [index, entry] of urls.entries())
    checkHost(problems, `${where}.url`, entry, given[index], declared);
  const [first, ...alternates] = urls as [URL, ...URL[]];
  checkAlike(problems, where, urls);
  return { url: first, alternates: alternates.length === 0 ? undefined : alternates, network: declared };
}

/** Reads in which network a service lies, if somebody says so. */
export function parseNetwork(problems: Problems, where: string, value: unknown): ServiceNetwork | undefined {
  if (value === undefined || networks.includes(value)) return value as ServiceNetwork | undefined;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}.network must be "public", "private" or "loopback", not ${quote(value)}.`,
  );
  return undefined;
}

/** Refuses a host that no service has, and a network that it does not lie in: an address says itself where it lies. */
export function checkHost(
  problems: Problems,
  where: string,
  { hostname }: URL,
  given: unknown,
  declared: ServiceNetwork | undefined,
): void {
  const network = networkOfHost(hostname);
  if (network === undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} is ${quote(given)}: no service has such an address (cloud metadata, link-local, multicast or reserved).`,
    );
  const isAddress = /^\[|^[\d.]+$/.test(hostname) || isLoopbackHost(hostname);
  if (declared !== undefined && isAddress && declared !== network)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} is ${quote(given)}, which is ${network}, and not ${declared} as its network says.`,
      "Leave network out: an address lies where it lies",
    );
}

/** Which of them gets a request is chance, so they must be the same to whoever sends it. */
function checkAlike(problems: Problems, where: string, urls: readonly URL[]): void {
  const [first] = urls as [URL];
  if (urls.length > maxUrls)
    problems.add("CONTRACT_OPTION_INVALID", `${where}.url may have ${maxUrls} entries at most.`);
  if (urls.some(({ protocol, pathname }) => protocol !== first.protocol || pathname !== first.pathname))
    problems.add("CONTRACT_OPTION_INVALID", `${where}.url must have one scheme and one path in all entries.`);
  if (new Set(urls.map(({ href }) => href)).size < urls.length)
    problems.add("CONTRACT_OPTION_INVALID", `${where}.url must not have an entry twice.`);
}
