import type { EventSink } from "../../../contract/index.ts";

/** Tells of connections to one database or store. */
export interface ConnectionTeller {
  opened(version: number): void;
  failed(reason: string): void;
  refused(reason: string): void;
}

/** Tells of each connection that is opened, and of those that fail alike only the first until one is opened again. */
export function tellConnections(events: EventSink, secret: string, service: string): ConnectionTeller {
  let lastFault: string | undefined;
  const say = (type: "egress.connection.failed" | "egress.connection.refused", reason: string): void => {
    if (lastFault === `${type} ${reason}`) return;
    lastFault = `${type} ${reason}`;
    events({ type, time: Date.now(), secret, service, reason });
  };
  return {
    opened(version) {
      lastFault = undefined;
      events({ type: "egress.connection.opened", time: Date.now(), secret, version, service });
    },
    failed: (reason) => say("egress.connection.failed", reason),
    refused: (reason) => say("egress.connection.refused", reason),
  };
}
