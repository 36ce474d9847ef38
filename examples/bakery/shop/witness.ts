import type { ReceivedRequest } from "curtainwall/audit";
import { knock, openDoor } from "../door.ts";
import type { Door } from "../door.ts";
import { stateFolder } from "../settings.ts";

const most = 300;
const maxBodyBytes = 16_384;

/** A request that came to the shop, with what was read of its body. */
export interface Arrival {
  readonly method: string;
  readonly target: string;
  readonly headers: ReceivedRequest["headers"];
  readonly body: Uint8Array;
}

/** Remembers what came to the shop lately, for the audit to ask for. */
export interface Witness {
  /** Notes a request. What is long is not kept. */
  note(arrival: Arrival): void;
  /** Lets the audit in. */
  open(folder?: string): Promise<Door>;
}

/** Makes a {@link Witness}. It keeps the last few hundred requests, in memory alone. */
export function createWitness(): Witness {
  const arrivals: Arrival[] = [];
  return {
    note(arrival) {
      if (arrivals.length === most) arrivals.shift();
      arrivals.push({ ...arrival, body: arrival.body.subarray(0, maxBodyBytes) });
    },
    open: (folder = stateFolder) => openDoor(doorName, () => arrivals.map(toReceived), folder),
  };
}

const doorName = "shop-witness";

function toReceived({ body, ...request }: Arrival): ReceivedRequest {
  return body.length === 0 ? request : { ...request, body: { base64: Buffer.from(body).toString("base64") } };
}

/** What was sent to the shop lately. */
export const receivedByShop = async (folder: string = stateFolder): Promise<readonly ReceivedRequest[]> =>
  (await knock(doorName, { folder })) as ReceivedRequest[];
