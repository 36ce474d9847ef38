import type { Injector } from "../../contract/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { Headers } from "../policy/read-headers.ts";

/** A permitted request on its way to a service. Injectors add to its headers and its query. */
export interface Outgoing {
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** As it is sent, without query. */
  readonly path: string;
  /** Without its "?". */
  query: string;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
}

/** Puts a value into a request. What it returns must not come back to the caller, in headers or body. */
export type Inject = (outgoing: Outgoing, value: Secret) => readonly string[] | Promise<readonly string[]>;

/** The headers and the query key that an injector alone may set: a caller's own are dropped. */
export function ownedBy(injector: Injector): { headers: readonly string[]; query: string | undefined } {
  switch (injector.kind) {
    case "header":
      return { headers: [injector.name.toLowerCase()], query: undefined };
    case "query":
      return { headers: [], query: injector.name };
    case "hmac":
      return {
        headers: [injector.header.toLowerCase(), injector.timestampHeader.toLowerCase()],
        query: undefined,
      };
    case "aws":
      return {
        headers: ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "date"],
        query: undefined,
      };
    // They set `Authorization`, of which a caller's own goes nowhere.
    case "bearer":
    case "basic":
    case "jwt":
    case "client-credentials":
      return { headers: [], query: undefined };
  }
}
