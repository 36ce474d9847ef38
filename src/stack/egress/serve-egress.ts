import type { IncomingMessage } from "node:http";
import type { Contract, EventSink } from "../../contract/index.ts";
import { createWebhookChecks, functionHeader, routeHeader, tolerancesOf } from "../../egress/index.ts";
import type { EgressCaller, SecretSource } from "../../egress/index.ts";
import {
  createEgress,
  createEgressServer,
  createWebhookEndpoint,
  openDeliveryJournal,
} from "../../egress/node.ts";
import type { EgressServer, WebhookEndpoint } from "../../egress/node.ts";
import type { EgressConfiguration } from "../processes/messages.ts";
import type { openLimitsRelay } from "./limits-relay.ts";
import { openVaultLink } from "../vault/vault-link.ts";
import type { VaultLink } from "../vault/vault-link.ts";

/** The work of the egress domain. */
export interface ServedEgress {
  /** Takes connections from the listeners that it was handed. */
  listen(): Promise<void>;
  /** Takes no more, and lets what is under way end, for at most so many milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** Options of {@link serveEgress}. */
export interface ServeEgressOptions {
  contract: Contract;
  configuration: Pick<EgressConfiguration, "authorities" | "groups" | "listeners" | "vaultSocket">;
  events: EventSink;
  /** Opens the way to the store that hosts count in. Undefined: they need none, or it asks for no password. */
  openLimits?: typeof openLimitsRelay | undefined;
  /** The folder that webhooks are noted in, where routes take some. */
  memoryFolder: string | undefined;
}

const edgeListener = "egress:edge";
const limitsListener = "redis:limits";

/**
 * Makes what answers on the sockets of egress. Who a request is from is known by the socket that it came through: each can be connected to by
 * one user, or is seen in one sandbox alone.
 */
export function serveEgress({
  contract,
  configuration,
  events,
  openLimits,
  memoryFolder,
}: ServeEgressOptions): ServedEgress {
  const { authorities, groups, listeners, vaultSocket } = configuration;
  const link = vaultSocket === undefined ? undefined : openVaultLink(vaultSocket);
  const egress = createEgress({
    secrets: contract.secrets,
    functions: contract.functions,
    origins: contract.egressOrigins,
    source: link ?? emptySource,
    authorities: new Map(Object.entries(authorities)),
    events,
  });
  const webhooks = link && openWebhooks(contract, link, events, memoryFolder);
  const servers = listeners.flatMap(({ name, fd }): { server: EgressServer; fd: number }[] => {
    const caller = name === edgeListener ? routeOf : functionIn(name, groups);
    if (caller === undefined) return [];
    const answers = name === edgeListener && webhooks !== undefined ? beside(webhooks, egress) : egress;
    return [{ server: createEgressServer({ egress: answers, name, caller }), fd }];
  });
  const limitsFd = listeners.find(({ name }) => name === limitsListener)?.fd;
  const { limitStore: store, origin } = contract;
  const limits =
    link && store?.secret !== undefined && limitsFd !== undefined
      ? openLimits?.({
          store,
          secret: store.secret,
          source: link,
          ca: authorities[store.url.href],
          origin,
          events,
        })
      : undefined;
  return {
    async listen() {
      await Promise.all(servers.map(({ server, fd }) => server.listen({ fd })));
      if (limitsFd !== undefined) await limits?.listen(limitsFd);
    },
    async close(graceMs) {
      for (const { server } of servers) server.stop();
      limits?.close();
      await egress.close(graceMs);
      await Promise.all(servers.map(({ server }) => server.close()));
      link?.close();
    },
  };
}

/** For a contract without secrets. */
const emptySource: SecretSource = { get: () => Promise.resolve(undefined), onChange: () => undefined };

/** The edge says which route it sends for. */
function routeOf({ headers }: IncomingMessage): EgressCaller | undefined {
  const value = headers[routeHeader];
  if (typeof value !== "string") return undefined;
  try {
    return { kind: "route", key: decodeURIComponent(value) };
  } catch {
    return undefined;
  }
}

/** A group's runner says which of its functions it is; no other is believed. */
function functionIn(
  listener: string,
  groups: EgressConfiguration["groups"],
): ((request: IncomingMessage) => EgressCaller | undefined) | undefined {
  const group = groups.find(({ name }) => listener === `egress:${name}`);
  if (group === undefined) return undefined;
  const members = new Set(group.functions);
  return ({ headers }) => {
    const name = headers[functionHeader];
    return typeof name === "string" && members.has(name) ? { kind: "function", name } : undefined;
  };
}

function openWebhooks(
  { routes }: Contract,
  link: Pick<VaultLink, "get">,
  events: EventSink,
  folder: string | undefined,
): WebhookEndpoint | undefined {
  if (folder === undefined) return undefined;
  const checks = createWebhookChecks({
    routes,
    events,
    journal: openDeliveryJournal({ folder, tolerances: tolerancesOf(routes), events }),
    keys: {
      async keysOf(name) {
        const current = await link.get(name);
        if (current === undefined) return [];
        const { previous } = current;
        return previous === undefined ? [current] : [current, previous];
      },
    },
  });
  return createWebhookEndpoint({ checks, routes });
}

type Answers = Parameters<typeof createEgressServer>[0]["egress"];

/** The edge asks about webhooks on the same socket, in its own name. */
const beside = (webhooks: WebhookEndpoint, egress: Answers): Answers => ({
  ...egress,
  answersItself(request, response) {
    if (!webhooks.matches(request)) return false;
    webhooks.handle(request, response);
    return true;
  },
});
