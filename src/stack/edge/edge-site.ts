import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract, ContractProxies, ContractReports } from "../../contract/index.ts";
import type { ClientOptions } from "../../edge/index.ts";

/** What serving a site's pages takes of its contract: no more than JSON says, so that it can be handed over. */
export interface EdgeSite {
  readonly origin: string;
  readonly reports: ContractReports | undefined;
  readonly clients: Pick<ClientOptions, "refuseUndeclared"> & {
    readonly ipv6Prefix: number;
    readonly proxies:
      | (Pick<ContractProxies, "clientFrom"> & { readonly trusted: number | readonly Range[] })
      | undefined;
  };
  /** Whether there is an API. If there is none the edge does not load the contract, and none of the site's own code runs in it. */
  readonly hasApi: boolean;
}

/** A network, as JSON says it. */
interface Range {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** Says what the edge needs to know to serve a site's pages. */
export function edgeSiteOf({ origin, reports, edge, routes }: Contract): EdgeSite {
  const { proxies, ipv6Prefix, deniesProxies } = edge;
  const rangesOf = ({ trusted }: ContractProxies): number | Range[] =>
    typeof trusted === "number"
      ? trusted
      : trusted.map(({ bytes, prefix }) => ({ bytes: [...bytes], prefix }));
  return {
    origin,
    reports,
    clients: {
      proxies: proxies && { clientFrom: proxies.clientFrom, trusted: rangesOf(proxies) },
      ipv6Prefix,
      // Where the site is this machine's own, whoever speaks for others is its developer.
      refuseUndeclared: !deniesProxies && !isLoopbackHost(new URL(origin).hostname),
    },
    hasApi: routes.length > 0,
  };
}

/** Reads on the other side how clients are told apart. */
export function clientsOf({ clients: { proxies, ...rest } }: EdgeSite): ClientOptions {
  if (proxies === undefined) return rest;
  const { clientFrom, trusted } = proxies;
  return {
    ...rest,
    proxies: {
      clientFrom,
      trusted:
        typeof trusted === "number"
          ? trusted
          : trusted.map(({ bytes, prefix }) => ({ bytes: Uint8Array.from(bytes), prefix })),
    },
  };
}
