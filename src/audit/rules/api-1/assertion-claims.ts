import type { ReceivedRequest } from "../../probes/upstream-witness.ts";

/** What the gateway says to an upstream of each request that it sends there. */
const assertionHeader = "curtainwall-assertion";

/** What the gateway says, as it stands there: nothing of it is checked. */
export type Claims = Readonly<Record<string, unknown>>;

/** What an upstream was told of a request. Undefined: nothing that can be read. */
export function claimsOf({ headers }: ReceivedRequest): Claims | undefined {
  const header = headers[assertionHeader];
  if (typeof header !== "string") return undefined;
  try {
    const bytes = Uint8Array.fromBase64(header.split(".")[1] ?? "", { alphabet: "base64url" });
    return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
  } catch {
    return undefined;
  }
}
