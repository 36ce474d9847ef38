/** A request as an upstream got it. */
export interface ReceivedRequest {
  method: string;
  /** Path and query, as they came. */
  target: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Text, or its bytes in base64. Default: none came. */
  body?: string | { base64: string };
}

/** An upstream on this machine that tells what it was asked. */
export interface UpstreamWitness {
  /** What was sent to it lately, the oldest first: some hundred requests, those that it refused too. */
  received: () => Promise<readonly ReceivedRequest[]>;
}

/** The id that the gateway gave a request, if one did. */
export function requestIdOf({ headers }: ReceivedRequest): string | undefined {
  const id = headers["request-id"];
  return typeof id === "string" ? id : undefined;
}

/** A body's bytes. */
export function receivedBytes({ body = "" }: ReceivedRequest): Uint8Array {
  return typeof body === "string"
    ? new TextEncoder().encode(body)
    : Uint8Array.from(atob(body.base64), (character) => character.charCodeAt(0));
}
