import { BroadcastChannel } from "node:worker_threads";
import type { Contract } from "../../contract/index.ts";

/** Tells the edge's other threads where something changed, so that no thread gives away what it kept from before. */
export interface SharedChanges {
  tell(path: string): void;
  hear(listener: (path: string) => void): void;
}

/** Opens it for a thread. Undefined: no route keeps answers. */
export function shareChanges({ routes }: Pick<Contract, "routes">): SharedChanges | undefined {
  if (routes.every(({ cache }) => cache === undefined)) return undefined;
  const channel = new BroadcastChannel("curtainwall-changes");
  channel.unref();
  return {
    tell: (path) => channel.postMessage(path),
    hear(listener) {
      channel.onmessage = ({ data }: { data?: unknown }) => {
        if (typeof data === "string") listener(data);
      };
    },
  };
}
