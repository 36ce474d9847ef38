import type { Injector } from "../../contract/index.ts";
import { revealSecret, toBase64 } from "../../shared/index.ts";
import { Refused } from "../errors.ts";
import type { Inject } from "./outgoing.ts";

/** What a header can hold (RFC 9110 §5.5), without spaces around it. */
const visible = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A value that can stand in a header; one that can't would be another header, or none. */
export function headerValue(value: string): string {
  if (!visible.test(value)) throw new Refused("EGRESS_SECRET_UNFIT", "the value can't stand in a header");
  return value;
}

/** The two parts of a value like `user:password`. */
export function splitValue(value: string): readonly [first: string, second: string] {
  const colon = value.indexOf(":");
  if (colon < 1 || colon === value.length - 1)
    throw new Refused("EGRESS_SECRET_UNFIT", 'the value is not of two parts with ":" between');
  return [value.slice(0, colon), value.slice(colon + 1)];
}

/** No part of them may be one (RFC 7617 §2). */
// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const controls = /[\0-\x1f\x7f]/;

/** `Authorization: Bearer <value>`. */
export const injectBearer: Inject = ({ headers }, secret) => {
  const value = headerValue(revealSecret(secret));
  headers.set("authorization", `Bearer ${value}`);
  return [value];
};

/** `Authorization: Basic <base64 of the value>`. */
export const injectBasic: Inject = ({ headers }, secret) => {
  const value = revealSecret(secret);
  const [, password] = splitValue(value);
  if (controls.test(value)) throw new Refused("EGRESS_SECRET_UNFIT", "the value has control characters");
  const encoded = toBase64(new TextEncoder().encode(value));
  headers.set("authorization", `Basic ${encoded}`);
  return [value, password, encoded];
};

/** A header of its own. */
export function injectHeader({ name, prefix }: Extract<Injector, { kind: "header" }>): Inject {
  const header = name.toLowerCase();
  return ({ headers }, secret) => {
    const value = headerValue(revealSecret(secret));
    headers.set(header, prefix + value);
    return [value];
  };
}

/** A query key. */
export function injectQuery({ name }: Extract<Injector, { kind: "query" }>): Inject {
  return (outgoing, secret) => {
    const value = revealSecret(secret);
    const pair = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    outgoing.query = outgoing.query === "" ? pair : `${outgoing.query}&${pair}`;
    return [value];
  };
}
