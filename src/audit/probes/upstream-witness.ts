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

/** What is in a later account of an upstream's and not in an earlier one. */
export function arrivedSince(
  before: readonly ReceivedRequest[],
  now: readonly ReceivedRequest[],
): ReceivedRequest[] {
  const known = new Map<string, number>();
  for (const request of before) {
    const text = JSON.stringify(request);
    known.set(text, (known.get(text) ?? 0) + 1);
  }
  return now.filter((request) => {
    const text = JSON.stringify(request);
    const count = known.get(text) ?? 0;
    known.set(text, count - 1);
    return count <= 0;
  });
}
