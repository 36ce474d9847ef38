import { listFields } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { callVersion } from "../../functions/index.ts";
import type { CallFields, FunctionCall, FunctionCaller, FunctionSettings } from "../../functions/index.ts";
import type { ForwardedRequest } from "../../gateway/index.ts";
import { parseQuery } from "../../shared/index.ts";

/** Writes a checked request as the call of a function: values as their schemas made them, in JSON. */
export function callOf(
  { route, id, params, query, headerValues, headers, body, caller }: ForwardedRequest,
  settings: FunctionSettings,
): FunctionCall {
  return {
    version: callVersion,
    id,
    route: route.key,
    params: (params ?? none) as CallFields,
    query: (query ?? none) as CallFields,
    headers: headers === undefined ? none : headersOf(headerValues, headers),
    settings,
    ...(body === undefined ? {} : { body: typeof body === "string" ? formOf(route, body) : body }),
    ...(caller === undefined ? {} : { caller: callerOf(caller) }),
  };
}

const none: CallFields = Object.freeze({});

function callerOf({
  subject,
  roles,
  scopes,
  tenant,
}: NonNullable<ForwardedRequest["caller"]>): FunctionCaller {
  return { subject, roles, scopes, tenant };
}

/** What their schema made of them, and the cookies as they stand; or, where it refused them and they pass all the same, texts. */
function headersOf(values: object | undefined, list: readonly string[]): CallFields {
  const texts: Record<string, string> = {};
  for (let index = 0; index < list.length; index += 2) texts[list[index] ?? ""] = list[index + 1] ?? "";
  const { cookie, ...declared } = texts;
  const fields = (values ?? declared) as CallFields;
  return cookie === undefined ? fields : { ...fields, cookie };
}

/** A form that its schema refused, and that passes all the same, is still a text. A JSON body that is one says so by its route. */
function formOf({ body: schema, bodyType }: ContractRoute, text: string): unknown {
  if (bodyType !== "form") return text;
  return schema === undefined ? undefined : { ...parseQuery(text, listFields(schema)) };
}
