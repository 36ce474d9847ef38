import type { IncomingHttpHeaders } from "node:http";
import { networkOf } from "../../contract/index.ts";
import { proxyHeaders } from "../clients/client-rules.ts";
import type { Client } from "./client.ts";
import type { EdgeContext } from "./context.ts";

/**
 * The address that a request is charged to; undefined if nobody can tell. It is the connection's, unless a declared proxy
 * speaks for others.
 */
export function whoseRequest(
  { clients }: EdgeContext,
  client: Client,
  headers: IncomingHttpHeaders,
): string | undefined {
  const { find, refuseUndeclared } = clients;
  if (find === undefined)
    return refuseUndeclared && isUndeclared(client, headers) ? undefined : client.address;
  return find({
    peer: client.address,
    fromProxy: client.isProxy,
    header: (name) => {
      const value = headers[name];
      return typeof value === "object" ? value.join(", ") : value;
    },
  });
}

function isUndeclared(client: Client, headers: IncomingHttpHeaders): boolean {
  return proxyHeaders.some((name) => headers[name] !== undefined) && networkOf(client.address) !== "public";
}

/** Why {@link whoseRequest} can't tell. */
export const whyUnknown = ({ clients }: EdgeContext): string =>
  clients.find === undefined
    ? "it names a client, as proxies do, and edge.proxies declares none"
    : "the declared proxies do not name its client";
