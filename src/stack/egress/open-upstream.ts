import type { Contract } from "../../contract/index.ts";
import { refusalHeader, routeHeader } from "../../egress/index.ts";
import type { ForwardedRequest } from "../../gateway/index.ts";
import { createUpstream } from "../../gateway/node.ts";
import type { UpstreamPool, UpstreamPoolOptions } from "../../gateway/node.ts";

/** Options of {@link openUpstream}. */
export interface OpenUpstreamOptions extends Omit<UpstreamPoolOptions, "through"> {
  readonly contract: Pick<Contract, "routes" | "secrets">;
  /** The socket that the edge reaches egress by. Undefined: the contract has no secret. */
  readonly egressSocket: string | undefined;
}

/**
 * Opens an upstream as its routes need it: those that cause a secret's use are sent through egress, which adds the value and opens the connection, and
 * all others to the upstream itself. Neither way has connections that the other could use.
 */
export function openUpstream({ contract, egressSocket, ...options }: OpenUpstreamOptions): UpstreamPool {
  const { routes, secrets } = contract;
  const users = new Set([...secrets.values()].flatMap(({ by }) => by));
  const own = routes.filter(({ to }) => to === options.upstream.name);
  const withSecret = new Set(own.filter(({ key }) => users.has(key)).map(({ key }) => key));
  const direct = createUpstream(options);
  if (withSecret.size === 0 || egressSocket === undefined) return direct;
  const through = createUpstream({
    ...options,
    through: {
      socketPath: egressSocket,
      routeHeader,
      refusalHeader,
    },
  });
  const wayOf = ({ route }: ForwardedRequest): UpstreamPool => (withSecret.has(route.key) ? through : direct);
  return {
    send: (request, done) => wayOf(request).send(request, done),
    setClientCertificate: (certificate) => direct.setClientCertificate(certificate),
    async close(graceMs) {
      await Promise.all([direct.close(graceMs), through.close(graceMs)]);
    },
  };
}
