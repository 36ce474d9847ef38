import { Agent, fetch as undiciFetch } from "undici";
import type { Dispatcher } from "undici";

/** A `fetch` that never follows a redirect, is over in ten seconds and trusts the given authorities. */
export type BoundFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Makes a {@link BoundFetch}. */
export function createFetch(ca: string | undefined): BoundFetch {
  const dispatcher: Dispatcher = new Agent({
    connect: ca === undefined ? {} : { ca },
    keepAliveTimeout: 1000,
    maxResponseSize: 1_048_576,
  });
  // undici's types and the platform's describe the same classes twice.
  return (url, init = {}) =>
    undiciFetch(url, {
      signal: AbortSignal.timeout(10_000),
      ...init,
      redirect: "manual",
      dispatcher,
    } as never) as unknown as Promise<Response>;
}
