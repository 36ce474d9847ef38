import { z } from "zod";
import { memberNames } from "../../contract/index.ts";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { Passage } from "../answers/route-answers.ts";
import type { GatewayRequest } from "../types.ts";
import { formatCookies, parseCookies } from "./cookies.ts";
import { textsOf } from "./texts.ts";

/** Request headers for the upstream (name, value, name, value …), or why the request is refused. */
export type CheckHeaders = (request: GatewayRequest, passage: Passage) => readonly string[] | Refusal;

/**
 * Compiles the check of the headers and cookies that a route takes: each held to its schema, and written anew from what that made of it. No
 * other header of the client goes on. A function is given what the schema made of them. Undefined if the route takes none.
 */
export function compileHeaders({ headers, cookies, to }: ContractRoute): CheckHeaders | undefined {
  const checkNamed = headers === undefined ? undefined : compileNamed(headers, to.startsWith("fn:"));
  const checkCookies = cookies === undefined ? undefined : compileCookies(cookies);
  if (checkNamed === undefined) return checkCookies;
  if (checkCookies === undefined) return checkNamed;
  return (request, passage) => {
    const named = checkNamed(request, passage);
    if (!isList(named)) return named;
    const cookie = checkCookies(request, passage);
    return isList(cookie) ? [...named, ...cookie] : cookie;
  };
}

/** Tells headers from a refusal. */
export const isList = (value: readonly string[] | Refusal): value is readonly string[] =>
  Array.isArray(value);

/** Visible ASCII with spaces inside: what every server reads alike (RFC 9110 §5.5). */
const plainValue = /^(?:[!-~](?:[ !-~]*[!-~])?)?$/;

/** Tells whether every server reads a header's value alike. */
export const isPlainHeader = (value: string): boolean => plainValue.test(value);

function compileNamed(schema: Schema, keepsValues: boolean): CheckHeaders {
  const names = memberNames(schema);
  return (request, passage) => {
    const given: Record<string, string> = {};
    for (const name of names) {
      const value = request.header(name);
      if (value === undefined) continue;
      if (!plainValue.test(value)) return refuseInput(`headers/${name}`, "It has the wrong form");
      given[name] = value;
    }
    const checked = z.core.safeParse(schema, given);
    if (!checked.success) return refuseIssues("headers", checked.error.issues);
    const list: string[] = [];
    for (const [name, value] of Object.entries(textsOf(checked.data as object, given))) {
      const text = String(value);
      if (!plainValue.test(text)) return refuseInput(`headers/${name}`, "It has the wrong form");
      list.push(name, text);
    }
    if (keepsValues) passage.headerValues = checked.data as object;
    return list;
  };
}

function compileCookies(schema: Schema): CheckHeaders {
  const names = new Set(memberNames(schema));
  return (request) => {
    const given = parseCookies(request.header("cookie"), names);
    if (given === undefined) return refuseInput("cookies", "A cookie is malformed or stands twice");
    const checked = z.core.safeParse(schema, { ...given });
    if (!checked.success) return refuseIssues("cookies", checked.error.issues);
    const texts = textsOf(checked.data as object, given) as Record<string, string>;
    const cookie = formatCookies(texts);
    if (cookie === undefined) return refuseInput("cookies", "A cookie has the wrong form");
    return cookie === "" ? [] : ["cookie", cookie];
  };
}
