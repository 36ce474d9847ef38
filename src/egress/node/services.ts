import { X509Certificate } from "node:crypto";
import type { ContractEgressOrigin, EventSink } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { Lookup } from "../../shared/node.ts";
import { createGate } from "../gate.ts";
import type { Gate } from "../gate.ts";
import { createOutbound } from "./outbound.ts";
import type { Outbound } from "./outbound.ts";

/** Somebody else's service, as it is reached. */
export interface Service {
  readonly origin: ContractEgressOrigin;
  readonly outbound: Outbound;
  readonly gate: Gate;
}

/** Options of {@link openServices}. */
export interface ServicesOptions {
  origins: ReadonlyMap<string, ContractEgressOrigin>;
  /** How many callers may ask each of them for something, by origin. */
  callers: ReadonlyMap<string, number>;
  authorities: ReadonlyMap<string, string>;
  lookup: Lookup | undefined;
  events: EventSink;
  now: () => number;
  elapsed: () => number;
}

/**
 * Opens the way to each service of a contract; connects to none yet.
 *
 * @throws {CurtainwallError} `EGRESS_OPTION_INVALID` if an authority is no certificate
 */
export function openServices(options: ServicesOptions): ReadonlyMap<string, Service> {
  const { origins, callers, authorities, lookup, events, now, elapsed } = options;
  return new Map(
    [...origins.values()].map((origin): [string, Service] => {
      const ca = authorities.get(origin.origin);
      assertAuthority(origin.origin, ca);
      const onRefused = (addresses: readonly string[]): void =>
        events({ type: "egress.address.refused", time: now(), origin: origin.origin, addresses });
      const { concurrency, rate } = origin;
      return [
        origin.origin,
        {
          origin,
          outbound: createOutbound({ origin, ca, lookup, now, onRefused }),
          gate: createGate({
            concurrency,
            callers: callers.get(origin.origin) ?? 1,
            rate,
            elapsed,
            schedule: after,
          }),
        },
      ];
    }),
  );
}

function assertAuthority(origin: string, ca: string | undefined): void {
  try {
    if (ca !== undefined && !new X509Certificate(ca).ca) throw new Error("it is no authority");
  } catch {
    throw new CurtainwallError("EGRESS_OPTION_INVALID", `The authority for ${origin} is no certificate.`, {
      hint: `Check  egress: { origins: { "${origin}": { caFile: "…" } } }`,
    });
  }
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
}
