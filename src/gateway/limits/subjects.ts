import type { LimitSubject } from "../../contract/index.ts";
import { addressGroup } from "../../shared/index.ts";
import type { Caller } from "../types.ts";

/** What is known of who makes a request. */
export interface Requester {
  readonly request: { readonly remoteAddress: string };
  readonly caller: Caller | undefined;
}

/** Names whom a request is charged to. */
export type NameSubject = (requester: Requester) => string;

/** Subjects that are known once it is known who calls; of the others the connection tells. */
export const needsCaller = (by: LimitSubject): boolean => by === "user" || by === "tenant" || by === "key";

/**
 * Compiles how a limit's subject is named. A caller of no tenant, or without an API key, is counted by itself: one name for all of them
 * would let each use up what the others have.
 *
 * @param ipv6Prefix bits of an IPv6 address that name one client
 */
export function nameSubject(by: LimitSubject, ipv6Prefix: number): NameSubject {
  switch (by) {
    case "client":
      return ({ request }) => addressGroup(request.remoteAddress, ipv6Prefix);
    case "user":
      return ({ caller }) => caller?.subject ?? "";
    case "tenant":
      return ({ caller }) =>
        caller?.tenant === undefined ? `user ${caller?.subject}` : `tenant ${caller.tenant}`;
    case "key":
      return ({ caller }) =>
        caller?.keyId === undefined ? `user ${caller?.subject}` : `key ${caller.keyId}`;
    case "route":
      return () => "";
  }
}
