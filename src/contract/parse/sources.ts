import type { ContractSource, ContractSourcePictures } from "../contract/site.ts";
import { looksSecretName } from "../environment.ts";
import type { ContractEnvironment } from "../environment.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import { declaredAt } from "../source.ts";
import type { Problems } from "./problems.ts";
import { parseSourceHeaders } from "./source-headers.ts";
import { parseNext } from "./source-next.ts";
import { parsePost } from "./source-post.ts";
import {
  checkNames,
  isFields,
  isSchema,
  number,
  optionalText,
  quote,
  section,
  text,
  weakened,
} from "./values.ts";
import type { Members } from "./values.ts";

const names = [
  "kind",
  "url",
  "schema",
  "at",
  "slug",
  "locale",
  "body",
  "post",
  "graphql",
  "next",
  "maxPages",
  "token",
  "basic",
  "headers",
  "timeoutMs",
  "retries",
  "maxBytes",
  "pictures",
  "caFile",
  "insecurePrivateAddresses",
];

/** Reads what `source(…)` declared. */
export function parseSource(
  problems: Problems,
  where: string,
  options: Members,
  environment: ContractEnvironment,
): ContractSource | undefined {
  checkNames(problems, where, options, names);
  if (!isSchema(options.schema))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its schema must be a Zod schema, not ${quote(options.schema)}.`,
    );
  const url = parseAddress(problems, where, options.url);
  const { at = [] } = options;
  if (!isFields(at))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.at must be a list of fields, not ${quote(at)}.`,
      'at: ["data"],',
    );
  const post = parsePost(problems, where, options);
  const place = (options as { [declaredAt]?: unknown })[declaredAt];
  const parsed = {
    at: isFields(at) ? at : [],
    slug: options.slug === undefined ? "slug" : text(problems, `${where}.slug`, options.slug),
    locale: optionalText(problems, `${where}.locale`, options.locale),
    body: parseBody(problems, `${where}.body`, options.body),
    ...post,
    next: parseNext(problems, `${where}.next`, options.next),
    maxPages: number(problems, `${where}.maxPages`, options.maxPages, { min: 1, max: 1000, fallback: 200 }),
    headers: parseSourceHeaders(problems, where, options, environment),
    timeoutMs: number(problems, `${where}.timeoutMs`, options.timeoutMs, {
      min: 100,
      max: 300_000,
      fallback: 10_000,
    }),
    retries: number(problems, `${where}.retries`, options.retries, { min: 0, max: 10, fallback: 2 }),
    maxBytes: number(problems, `${where}.maxBytes`, options.maxBytes, {
      min: 1,
      max: 268_435_456,
      fallback: 8_388_608,
    }),
    pictures: parsePictures(problems, `${where}.pictures`, options.pictures),
    caFile: optionalText(problems, `${where}.caFile`, options.caFile),
    allowPrivate: weakened(problems, `${where}.insecurePrivateAddresses`, options.insecurePrivateAddresses),
    declaredAt: typeof place === "string" ? place : undefined,
  };
  return url === undefined ? undefined : { url, ...parsed };
}

/** Its query may ask for things, but secrets don't travel in it: addresses are logged, and this one is in the repository. */
function parseAddress(problems: Problems, where: string, value: unknown): URL | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be read from an absolute URL, not ${quote(value)}.`,
    );
  if (!isSafe(url))
    return problems.add(
      "CONTRACT_HTTP_REFUSED",
      `${where} must be read over https: what travels over http can be read and changed on the way.`,
      "Only this machine's own address, http://localhost, may be plain",
    );
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its URL must not hold a user, password or fragment.`,
      'A password is a variable of privateEnv:  basic: { user: "build", password: "CMS_PASSWORD" }',
    );
  const secret = [...url.searchParams.keys()].find((name) => looksSecretName(name.replaceAll("-", "_")));
  if (secret !== undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its URL has the query ${quote(secret)}, which looks like a secret.`,
      'Declare it in privateEnv, and write  token: "CMS_TOKEN"  or  headers: { "x-api-key": { variable: "CMS_KEY" } }: it stands nowhere',
    );
  return url;
}

const isSafe = (url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));

function parseBody(problems: Problems, where: string, value: unknown): ContractSource["body"] {
  const options = section(problems, where, value, ["field", "format"]);
  if (options === undefined) return undefined;
  const { field, format } = options;
  if (format !== "markdown" && format !== "html") {
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.format must say what the text is written in, not ${quote(format)}.`,
      'body: { field: "text", format: "markdown" },  or  format: "html"',
    );
  }
  if (isFields(field) && field.length > 0) return { field, format };
  return { field: [text(problems, `${where}.field`, field)], format };
}

function parsePictures(
  problems: Problems,
  where: string,
  value: unknown,
): ContractSourcePictures | undefined {
  const options = section(problems, where, value, ["from", "fields", "maxBytes", "timeoutMs"]);
  if (options === undefined) return undefined;
  const { from, fields = [] } = options;
  const origins = Array.isArray(from) ? (from as unknown[]) : [];
  if (origins.length === 0 || !origins.every(isOrigin))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.from must list the origins that pictures may come from, not ${quote(from)}.`,
      'pictures: { from: ["https://images.example"] },  without a path, over https',
    );
  if (!Array.isArray(fields) || !fields.every((path) => isFields(path) && path.length > 0))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.fields must list ways to fields, not ${quote(fields)}.`,
      'fields: [["cover"], ["gallery", "*", "url"]],',
    );
  return {
    from: new Set(origins.filter(isOrigin)),
    fields: Array.isArray(fields) ? fields.filter(isFields) : [],
    maxBytes: number(problems, `${where}.maxBytes`, options.maxBytes, {
      min: 1,
      max: 67_108_864,
      fallback: 16_777_216,
    }),
    timeoutMs: number(problems, `${where}.timeoutMs`, options.timeoutMs, {
      min: 100,
      max: 3_600_000,
      fallback: 120_000,
    }),
  };
}

function isOrigin(value: unknown): value is string {
  const url = typeof value === "string" ? URL.parse(value) : null;
  return url !== null && url.origin === value && isSafe(url);
}
