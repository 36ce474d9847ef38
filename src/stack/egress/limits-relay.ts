import { createServer } from "node:net";
import type { ContractLimitStore, EventSink } from "../../contract/index.ts";
import type { SecretSource } from "../../egress/index.ts";
import { createRedisRelay } from "../../egress/node.ts";
import { limitKeyPrefix, limitScript } from "../../gateway/index.ts";

/** Lets the edge use the store that hosts count in. */
export interface LimitsRelay {
  /** Takes connections from a socket that listens already. */
  listen(fd: number): Promise<void>;
  /** Takes no more, and ends those that are there: whoever counts goes on alone. */
  close(): void;
}

/** Opens it: with the limits' script, and for nothing else. */
export function openLimitsRelay({
  store: { url, username },
  secret,
  ...rest
}: {
  readonly store: ContractLimitStore;
  readonly secret: string;
  readonly source: Pick<SecretSource, "get">;
  readonly ca: string | undefined;
  readonly origin: string;
  readonly events: EventSink;
}): LimitsRelay {
  const relay = createRedisRelay({
    ...rest,
    url,
    username,
    secret,
    scripts: [limitScript],
    keyPrefix: limitKeyPrefix,
  });
  const server = createServer({ noDelay: true }, (socket) => relay.accept(socket));
  return {
    listen: (fd) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ fd }, () => {
          server.off("error", reject);
          resolve();
        });
      }),
    close() {
      server.close();
      relay.close();
    },
  };
}
