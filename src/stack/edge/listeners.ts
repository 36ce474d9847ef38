import { createServer } from "node:net";
import type { Server } from "node:net";
import { CurtainwallError } from "../../shared/index.ts";

/** Where to listen. */
export interface ListenerPlan {
  readonly addresses: readonly string[];
  /** 0: any free one, the same for all addresses. */
  readonly port: number;
  /** Sockets for each address: one a thread. */
  readonly threads: number;
}

/** Sockets that listen, to be inherited by a domain; see {@link openListeners}. */
export interface Listeners {
  readonly port: number;
  /** The addresses that could be used. */
  readonly addresses: readonly string[];
  /** Descriptors by thread. */
  readonly fds: readonly (readonly number[])[];
  /** Gives up this process's copies. */
  close(): void;
}

interface Place {
  host: string;
  port: number;
}

/**
 * Opens the sockets that an edge listens on, so that the edge itself needs no right to do so. Call `close` in the same turn
 * of the event loop in which it resolves: until then this process would accept connections that it never answers.
 *
 * @throws {CurtainwallError} `STACK_PORT_IN_USE`, `STACK_PORT_REFUSED`
 */
export async function openListeners({ addresses, port, threads }: ListenerPlan): Promise<Listeners> {
  const usable: string[] = [];
  let chosen = port;
  for (const host of addresses) {
    // A plain listen first: with reusePort another server on this port would go unnoticed.
    const probe = await listen({ host, port: chosen }, false, usable.length > 0);
    if (probe === undefined) continue;
    chosen = portOf(probe);
    probe.close();
    usable.push(host);
  }
  const servers: Server[][] = [];
  for (let thread = 0; thread < threads; thread++) {
    const opened = await Promise.all(usable.map((host) => listen({ host, port: chosen }, true, false)));
    servers.push(opened.filter((server) => server !== undefined));
  }
  return {
    port: chosen,
    addresses: usable,
    fds: servers.map((row) => row.map((server) => descriptorOf(server) ?? -1)),
    close: () => {
      for (const server of servers.flat()) server.close();
    },
  };
}

/** Listens, without leaving this turn of the event loop: the host is a literal address. Undefined if the machine has no such address and it is not needed. */
function listen({ host, port }: Place, reusePort: boolean, optional: boolean): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (optional && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")) resolve(undefined);
      else reject(explain(error, { host, port }));
    });
    server.listen(
      { host, port, reusePort, exclusive: true, ipv6Only: host !== "::" && host.includes(":") },
      () => resolve(server),
    );
  });
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** Node has no public way to a listening socket's descriptor; its own cluster module reads this field too. Undefined: it does not listen. */
export const descriptorOf = (server: Server): number | undefined =>
  (server as unknown as { _handle: { fd: number } | null })._handle?.fd;

function explain(error: NodeJS.ErrnoException, { host, port }: Place): CurtainwallError {
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new CurtainwallError("STACK_PORT_IN_USE", `Something else listens on ${where} already.`, {
      cause: error,
      hint: `See who:  ss -ltnp 'sport = :${port}'   Or choose another port:  edge: { port: … }`,
    });
  }
  if (error.code === "EACCES") {
    return new CurtainwallError("STACK_PORT_REFUSED", `This user may not listen on ${where}.`, {
      cause: error,
      hint: "Ports below 1024 need root, or  setcap cap_net_bind_service=+ep  on node; else choose a higher port",
    });
  }
  return new CurtainwallError("STACK_PORT_REFUSED", `Can't listen on ${where}: ${error.message}.`, {
    cause: error,
    hint: "Name addresses that this machine has:  edge: { addresses: […] }",
  });
}
