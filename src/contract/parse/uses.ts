import type { ContractUse } from "../contract/secret.ts";
import type { Method } from "../path.ts";
import { closedInput, fields } from "./exchange.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, quote } from "./values.ts";

const grammar = /^(GET|POST|PUT|PATCH|DELETE) (https:\/\/[^/?#@\\\s]+)(\/[^?#\\\s]*)$/;
/** As a URL has it once it was read: a name, or an address. */
const hostGrammar = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$/;
/** What a segment may hold: nothing that a service could read as another path (RFC 3986 §3.3, without "%"). */
const segmentGrammar = /^(?:\*|[A-Za-z0-9._~!$&'()+,;=:@-]+)$/;

/** Reads one or several requests to other services. */
export function parseUses(problems: Problems, where: string, value: unknown): ContractUse[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (given.length === 0)
    problems.add("CONTRACT_OPTION_INVALID", `${where} is empty: it would permit nothing.`, hint);
  return given.flatMap((entry, index) => {
    const use = parseUse(problems, given.length > 1 ? `${where}[${index}]` : where, entry);
    return use === undefined ? [] : [use];
  });
}

const hint = 'Write  "GET https://api.delivery.example/v1/quotes"';

/** What was probably meant, where that can be told. */
function hintFor(request: unknown): string {
  if (typeof request !== "string") return hint;
  if (request.startsWith("https://")) return `Say the method, too:  "GET ${request}"`;
  if (/^[A-Z]+ http:\/\//.test(request))
    return 'Other services are asked over https alone, on this machine too: a test server\'s own certificate is named in  egress: { origins: { "https://…": { caFile: "…" } } }';
  if (/^[A-Z]+ https:\/\/[^/?#@]+$/.test(request)) return `Say the path, too:  "${request}/"`;
  if (request.includes("?")) return 'Its query is said apart:  { request: "…", query: { … } }';
  return hint;
}

function parseUse(problems: Problems, where: string, value: unknown): ContractUse | undefined {
  const options = typeof value === "string" ? { request: value } : value;
  if (!isMembers(options))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be a request, not ${quote(value)}.`, hint);
  checkNames(problems, where, options, ["request", "query", "body"]);
  const read = readRequest(options.request);
  if (typeof read === "string")
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: ${read}.`, hintFor(options.request));
  const closed = (name: string, schema: unknown): ReturnType<typeof closedInput> =>
    closedInput(problems, `${where}, ${name}`, schema, false);
  if (options.body !== undefined && read.method === "GET")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: a GET carries no body, so that none can be limited.`,
      "Leave out body, or limit the query:  query: { city: z.string().max(40) },",
    );
  return {
    ...read,
    query:
      options.query === undefined ? undefined : fields(problems, `${where}, query`, options.query, closed),
    body: options.body === undefined ? undefined : closed("body", options.body),
  };
}

function readRequest(text: unknown): Pick<ContractUse, "method" | "origin" | "path"> | string {
  const parts = typeof text === "string" ? grammar.exec(text) : null;
  if (parts === null) return `${quote(text)} is no method, https origin and path`;
  const [, method, authority = "", path = ""] = parts;
  const url = URL.parse(authority);
  if (url === null || !hostGrammar.test(url.hostname))
    return `${quote(text)} names no host: an origin is written whole, without stars`;
  const segments = path === "/" ? [] : path.slice(1).split("/");
  const isLast = (index: number): boolean => index === segments.length - 1;
  const strange = segments.find(
    (segment, index) =>
      segment === "." ||
      segment === ".." ||
      !(
        segmentGrammar.test(segment) ||
        (segment === "**" && isLast(index)) ||
        (segment === "" && isLast(index))
      ),
  );
  if (strange !== undefined) return `${quote(strange)} can't stand in its path`;
  return { method: method as Method, origin: url.origin, path: segments };
}
