import { z } from "zod";
import type { Schema } from "../define/schema.ts";
import { inspectSchema, memberSchemas } from "../schema.ts";
import { closedInput } from "./exchange.ts";
import type { Problems } from "./problems.ts";
import { isMembers, isSchema, quote } from "./values.ts";

// Headers and cookies, which a route takes or lets leave by name.

const headerName = /^[a-z][a-z0-9-]{0,63}$/;
/** RFC 6265bis §4.1.1: a token. */
const cookieName = /^[\w!#$%&'*+.^`|~-]{1,64}$/;

/** What a connection, a proxy or the gateway itself decides on; a client's word on any of these would count twice or for somebody else. */
const notTaken =
  /^(accept-encoding|authorization|connection|content-.*|cookie2?|curtainwall-.*|date|dpop|expect|forwarded|host|http2-settings|keep-alive|origin|proxy-.*|request-id|set-cookie2?|te|trailer|transfer-encoding|upgrade|via|x-(forwarded|real|original|rewrite|http-method|method|cluster|envoy|amz)-.*|x-(forwarded|real-ip|host|method-override|http-method)|true-client-ip|cf-.*|fastly-.*)$/;

/** What the edge writes itself, or what would speak of another exchange. */
const notReleased =
  /^(accept-ranges|access-control-.*|age|alt-svc|cache-control|clear-site-data|connection|content-(?!language$).*|cross-origin-.*|date|etag|expect-ct|keep-alive|nel|origin-.*|permissions-policy|pragma|proxy-.*|ratelimit.*|refresh|referrer-policy|report(ing-endpoints|-to)|retry-after|server(-timing)?|service-worker-.*|set-cookie2?|sourcemap|speculation-rules|strict-transport-security|te|timing-allow-origin|trailer|transfer-encoding|upgrade|vary|via|warning|www-authenticate|x-(content-type-options|dns-prefetch-control|frame-options|powered-by|permitted-.*|sourcemap|xss-protection))$/;

type InputReader = (name: string, schema: unknown) => Schema | undefined;

/** Reads which request headers a route takes. */
export function parseRequestHeaders(
  problems: Problems,
  where: string,
  value: unknown,
  input: InputReader,
): Schema | undefined {
  return named(problems, `${where}, headers`, value, input, requestHeaderFault);
}

/** Why a route can't take a request header of this name; undefined: it can. */
export function requestHeaderFault(name: string): string | undefined {
  if (!headerName.test(name)) return "is no header in lower case";
  return notTaken.test(name) ? "is not the client's to say, or means something between two hops" : undefined;
}

/** Why no header of this name may leave with an answer; undefined: it may. */
export function responseHeaderFault(name: string): string | undefined {
  if (!headerName.test(name)) return "is no header in lower case";
  return notReleased.test(name) ? "is written by the edge, or means something between two hops" : undefined;
}

/** Reads which cookies a route takes. */
export function parseCookies(
  problems: Problems,
  where: string,
  value: unknown,
  input: InputReader,
): Schema | undefined {
  return named(problems, `${where}, cookies`, value, input, (name) =>
    cookieName.test(name) && name !== "__proto__" ? undefined : "can't be a cookie's name",
  );
}

/** Reads which headers of its upstream's answer a route lets leave. */
export function parseResponseHeaders(
  problems: Problems,
  where: string,
  value: unknown,
): ReadonlyMap<string, Schema> {
  const place = `${where}, responseHeaders`;
  const schema = named(
    problems,
    place,
    value,
    (name, member) => readOutput(problems, where, name, member),
    responseHeaderFault,
  );
  return (schema && memberSchemas(schema)) ?? new Map<string, Schema>();
}

function named(
  problems: Problems,
  where: string,
  value: unknown,
  input: InputReader,
  faultOf: (name: string) => string | undefined,
): Schema | undefined {
  if (value === undefined) return undefined;
  if (!isMembers(value) || isSchema(value))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object of Zod schemas, by name.`);
  const shape: Record<string, Schema> = {};
  for (const [name, schema] of Object.entries(value)) {
    const fault = faultOf(name);
    if (fault !== undefined) problems.add("CONTRACT_OPTION_INVALID", `${where}: ${quote(name)} ${fault}.`);
    const closed = input(`${where.split(", ")[1]}.${name}`, schema);
    if (closed !== undefined) shape[name] = closed;
  }
  return z.strictObject(shape);
}

function readOutput(problems: Problems, where: string, name: string, schema: unknown): Schema | undefined {
  if (!isSchema(schema)) return closedInput(problems, `${where}, ${name}`, schema, false);
  for (const { at, message } of inspectSchema(schema, "output"))
    problems.add("CONTRACT_SCHEMA_UNSUPPORTED", `${where}, ${name}, at ${at}: ${message}.`);
  return schema;
}
