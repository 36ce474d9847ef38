import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  EventSink,
} from "../../contract/index.ts";
import { CurtainwallError, printable } from "../../shared/index.ts";
import type { Lookup } from "../../shared/node.ts";
import { Refused } from "../errors.ts";
import type { EgressRefusal } from "../errors.ts";
import { createHeldValues } from "../held-values.ts";
import { createInjector } from "../inject/create-injector.ts";
import type { RequestInjector } from "../inject/create-injector.ts";
import { createPolicy } from "../policy/policy.ts";
import { createTally } from "../tally.ts";
import { callerText } from "../types.ts";
import type { EgressCaller, SecretSource } from "../types.ts";
import { createWorkbench } from "../workbench.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeParts } from "./exchange.ts";
import { createBodyBudget } from "./read-body.ts";
import { openServices } from "./services.ts";
import type { Service } from "./services.ts";
import { askTokenEndpoint } from "./token-request.ts";

/** Options of {@link createEgress}. */
export interface EgressPartOptions {
  secrets: ReadonlyMap<string, ContractSecret>;
  functions: ReadonlyMap<string, ContractFunction>;
  /** How each service is reached: one for each origin that secrets and functions name. */
  origins: ReadonlyMap<string, ContractEgressOrigin>;
  source: SecretSource;
  /** PEM of private authorities, by origin. */
  authorities?: ReadonlyMap<string, string>;
  /** Finds a name's addresses. Default: as the system does. */
  lookup?: Lookup | undefined;
  events: EventSink;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** How long a value is held that nobody uses, in milliseconds. Default 60 000. */
  idleMs?: number;
  /** Bytes of requests' bodies that may be on their way at once. Default 268 435 456. */
  maxBodyBytes?: number;
}

/** Sends permitted requests to other people's services, with the secrets that they need. */
export interface Egress {
  /** Answers a request: with what the service says, or with why it was not asked. */
  handle(caller: EgressCaller, request: IncomingMessage, response: ServerResponse): void;
  /** Notes what was refused before it could be handled. */
  note(caller: string, refusal: EgressRefusal): void;
  /** Lets go of values: they are asked for anew. */
  forget(names: readonly string[]): void;
  /** The values that are held now: names and versions. */
  inUse(): readonly { name: string; version: number }[];
  /** Lets requests end, for at most so many milliseconds, and closes all connections. */
  close(graceMs: number): Promise<void>;
}

const windowMs = 10_000;

/**
 * Creates what answers callers' requests to other people's services: each is held to the contract, gets its secret, and goes to an
 * address that was checked, over TLS that was verified.
 *
 * @throws {CurtainwallError} `EGRESS_OPTION_INVALID` if an origin or an authority is missing or can't be used
 */
export function createEgress(options: EgressPartOptions): Egress {
  const { secrets, functions, origins, source, authorities = new Map(), lookup, events } = options;
  const { now = Date.now, idleMs, maxBodyBytes = 268_435_456 } = options;
  const elapsed = (): number => performance.now();
  assertOrigins(options);
  const policy = createPolicy({ secrets, functions });
  const services = openServices({
    origins,
    callers: policy.callers,
    authorities,
    lookup,
    events,
    now,
    elapsed,
  });
  const values = createHeldValues({ source, elapsed, ...(idleMs === undefined ? {} : { idleMs }) });
  source.onChange(values.forget);
  const tally = createTally({ events, now });
  const parts: ExchangeParts = {
    policy,
    services,
    values,
    injectors: injectorsOf(secrets, services, now, elapsed),
    tally,
    budget: createBodyBudget(maxBodyBytes),
    workbench: createWorkbench({ elapsed, schedule: (delayMs, run) => void setTimeout(run, delayMs) }),
    elapsed,
  };
  const underWay = new Set<Exchange>();
  let onIdle: () => void = () => undefined;
  const timer = setInterval(() => {
    tally.flush();
    values.sweep();
  }, windowMs).unref();

  return {
    handle(caller, request, response) {
      const exchange = new Exchange(parts, callerText(caller), request, response);
      underWay.add(exchange);
      void exchange.run().finally(() => {
        underWay.delete(exchange);
        if (underWay.size === 0) onIdle();
      });
    },
    note(caller, { code, reason }) {
      tally.note(`${caller} ${code}`, { type: "egress.refused", caller, code, reason });
    },
    forget: values.forget,
    inUse: values.inUse,
    async close(graceMs) {
      clearInterval(timer);
      if (underWay.size > 0 && graceMs > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const late = setTimeout(resolve, graceMs);
        onIdle = resolve;
        await promise;
        clearTimeout(late);
      }
      for (const exchange of underWay) exchange.abort(new Refused("EGRESS_FAILED", "egress ends"));
      await Promise.all([...services.values()].map(({ outbound }) => outbound.close()));
      tally.flush();
      values.forget([...secrets.keys()]);
    },
  };
}

function injectorsOf(
  secrets: ReadonlyMap<string, ContractSecret>,
  services: ReadonlyMap<string, Service>,
  now: () => number,
  elapsed: () => number,
): ReadonlyMap<string, RequestInjector> {
  return new Map(
    [...secrets.values()].flatMap(({ name, inject }): [string, RequestInjector][] =>
      inject === undefined
        ? []
        : [
            [
              name,
              createInjector({
                injector: inject,
                now,
                elapsed,
                askForToken: (outgoing) => {
                  const service = services.get(outgoing.origin) as Service;
                  return askTokenEndpoint(service.outbound, outgoing, service.origin.timeoutMs);
                },
              }),
            ],
          ],
    ),
  );
}

/** What a contract names must be told how it is reached. */
function assertOrigins({ secrets, functions, origins }: EgressPartOptions): void {
  const named = [
    ...[...secrets.values()].flatMap(({ uses, inject }) => [
      ...uses.map(({ origin }) => origin),
      ...(inject?.kind === "client-credentials" ? [new URL(inject.tokenUrl).origin] : []),
    ]),
    ...[...functions.values()].flatMap(({ reaches }) => reaches.map(({ origin }) => origin)),
  ];
  const missing = named.find((origin) => !origins.has(origin) || !origin.startsWith("https://"));
  if (missing !== undefined)
    throw new CurtainwallError(
      "EGRESS_OPTION_INVALID",
      `It is not said how ${printable(missing)} is reached, or it is no https origin.`,
    );
}
