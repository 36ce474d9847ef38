import type { ContractEdge } from "../contract/host.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import type { Problems } from "./problems.ts";
import { parseProxies } from "./proxies.ts";
import { number, quote, section, text } from "./values.ts";

/** Reads where the edge listens, and with which certificate. */
export function parseEdge(problems: Problems, value: unknown, origin: string): ContractEdge {
  const options =
    section(problems, "edge", value, [
      "addresses",
      "port",
      "redirectPort",
      "threads",
      "certificate",
      "maxClients",
      "proxies",
      "ipv6Prefix",
    ]) ?? {};
  const url = new URL(origin);
  const port = number(problems, "edge.port", options.port, {
    min: 0,
    max: 65_535,
    fallback: url.port === "" ? 443 : Number(url.port),
  });
  const { addresses, certificate } = options;
  const isList =
    Array.isArray(addresses) && addresses.length > 0 && addresses.every((entry) => typeof entry === "string");
  if (addresses !== undefined && !isList) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `edge.addresses must be a list of IP addresses, not ${quote(addresses)}.`,
    );
  }
  const files = section(problems, "edge.certificate", certificate, ["certFile", "keyFile"]);
  const isLocal = isLoopbackHost(url.hostname);
  return {
    addresses: isList ? addresses : isLocal ? ["127.0.0.1", "::1"] : ["::"],
    port,
    redirectPort:
      options.redirectPort === false
        ? false
        : options.redirectPort === undefined
          ? port === 443
            ? 80
            : false
          : number(problems, "edge.redirectPort", options.redirectPort, {
              min: 0,
              max: 65_535,
              fallback: 80,
            }),
    threads:
      options.threads === undefined
        ? undefined
        : number(problems, "edge.threads", options.threads, { min: 1, max: 256, fallback: 1 }),
    certificate:
      files === undefined
        ? undefined
        : {
            certFile: text(problems, "edge.certificate.certFile", files.certFile),
            keyFile: text(problems, "edge.certificate.keyFile", files.keyFile),
          },
    maxClients: number(problems, "edge.maxClients", options.maxClients, {
      min: 1000,
      max: 10_000_000,
      fallback: 100_000,
    }),
    proxies: options.proxies === "none" ? undefined : parseProxies(problems, options.proxies),
    deniesProxies: options.proxies === "none",
    ipv6Prefix: number(problems, "edge.ipv6Prefix", options.ipv6Prefix, { min: 16, max: 128, fallback: 64 }),
  };
}
