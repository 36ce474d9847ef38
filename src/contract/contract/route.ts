import type { JsonLimits } from "../../shared/index.ts";
import type { Access } from "../access.ts";
import type { Schema } from "../define/schema.ts";
import type { Method, PathSegment } from "../path.ts";
import type { ContractRouteLimits } from "./limits.ts";
import type { ContractWebhook } from "./secret.ts";

export type { JsonLimits };

/** A route; every default filled in, input schemas strict, response schema stripping. */
export interface ContractRoute extends ContractRouteLimits {
  readonly key: string;
  readonly method: Method;
  readonly path: string;
  readonly segments: readonly PathSegment[];
  readonly access: Access;
  /** Undefined: all objects of its answers are there for all whom {@link access} lets in. */
  readonly visible?: ContractVisibility | undefined;
  /** Whether those whom {@link access} refuses are told 404. */
  readonly hide?: boolean;
  /** Whether its requests may be done twice; of GET it is known. */
  readonly idempotent?: boolean;
  /** One strict object of all path parameters; undefined when the path names none. */
  readonly params: Schema | undefined;
  /** One strict object of all query keys; undefined when no key is accepted. */
  readonly query: Schema | undefined;
  /** One strict object of all request headers that it takes, lower-case; undefined when it takes none. */
  readonly headers: Schema | undefined;
  /** One object of all cookies that it takes; undefined when it takes none. */
  readonly cookies: Schema | undefined;
  /** Undefined: the route takes no body. */
  readonly body: Schema | undefined;
  /** How the body is written. */
  readonly bodyType: "json" | "form";
  readonly jsonLimits: JsonLimits;
  /** Undefined: the route answers 204, unless with a {@link stream}. */
  readonly response: Schema | undefined;
  /** What comes in parts; undefined: nothing. */
  readonly stream: ContractStream | undefined;
  /** Headers of the upstream's answer that may leave, lower-case, by name. */
  readonly responseHeaders: ReadonlyMap<string, Schema>;
  /** Whether GET's answers have an ETag. */
  readonly etag: boolean;
  /** For how long its answers may be used again. Undefined: each request asks the upstream. */
  readonly cache?: ContractCache | undefined;
  /** Statuses that the upstream may refuse with, and what leaves then. */
  readonly errors: ReadonlyMap<number, Schema>;
  /** An upstream's name, or a function as `fn:name`. */
  readonly to: string;
  /** How its senders sign. Undefined: signatures are not looked at. */
  readonly webhook?: ContractWebhook | undefined;
  /** Only pages of this site may ask. */
  readonly createsSession: boolean;
  readonly summary: string | undefined;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  /** Until when what it refuses is let pass and told. Undefined: it is refused. */
  readonly observe?: ContractObservation | undefined;
}

/** For how long a route is observed. */
export interface ContractObservation {
  /** The last day. */
  readonly until: string;
  /** When that day is over, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** For how long answers may be used again; every default filled in. */
export interface ContractCache {
  readonly seconds: number;
  /** How long after that they stand in for an upstream that fails. */
  readonly staleIfErrorSeconds: number;
  /** How long it is remembered that there is nothing. */
  readonly notFoundSeconds: number;
  /** How long a browser may keep them. */
  readonly browserSeconds: number;
}

/** Which objects of an answer exist for whom. */
export interface ContractVisibility {
  /** The fields that lead to what says it. */
  readonly field: readonly string[];
  readonly is: ReadonlySet<string | number | boolean>;
  /** Who sees the others too; undefined: nobody. */
  readonly unless: Access | undefined;
  /** The fields that lead to the list. Undefined: the answer is the object, or the list. */
  readonly in: readonly string[] | undefined;
}

/** An answer that comes in parts; every default filled in. */
export type ContractStream =
  | {
      readonly kind: "events";
      /** Schemas of the events' data, by name. */
      readonly events: ReadonlyMap<string, Schema>;
      readonly maxEventBytes: number;
      readonly maxSeconds: number;
      readonly heartbeatSeconds: number;
    }
  | {
      readonly kind: "download";
      /** Lower-case. */
      readonly types: readonly string[];
      readonly maxBytes: number;
      readonly fileName: string | undefined;
    };
