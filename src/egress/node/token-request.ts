import type { Dispatcher } from "undici";
import { Refused } from "../errors.ts";
import type { TokenAnswer } from "../inject/client-credentials.ts";
import type { Outgoing } from "../inject/outgoing.ts";
import type { Outbound } from "./outbound.ts";

const maxBytes = 65_536;

/** Sends one request to a token endpoint and reads its answer whole. No redirect is followed. */
export async function askTokenEndpoint(
  outbound: Outbound,
  outgoing: Outgoing,
  timeoutMs: number,
): Promise<TokenAnswer> {
  if (!outbound.isKnown()) await outbound.load();
  if (!outbound.isKnown())
    throw new Refused("EGRESS_ADDRESS_REFUSED", "the token endpoint has no address that it may have");
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let status = 0;
    let controller: Dispatcher.DispatchController | undefined;
    const fail = (): void =>
      reject(new Refused("EGRESS_TOKEN_REFUSED", "the token endpoint gives no answer that can be used"));
    const timer = setTimeout(() => {
      controller?.abort(new Error("timeout"));
      fail();
    }, timeoutMs);
    outbound.dispatch(outgoing, {
      onRequestStart: (given) => void (controller = given),
      onResponseStart: (_, given) => void (status = given),
      onResponseData(given, chunk) {
        size += chunk.length;
        if (size > maxBytes) given.abort(new Error("too large"));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        clearTimeout(timer);
        resolve({ status, body: Buffer.concat(chunks) });
      },
      onResponseError() {
        clearTimeout(timer);
        fail();
      },
    });
  });
}
