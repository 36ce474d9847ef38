import type { Injector } from "../define/inject.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** They say how the request itself is read, or what it is for; and ours. */
const ownHeaders =
  /^(?:host|content-(?:length|type|encoding)|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|accept-encoding|forwarded|x-forwarded-.*|x-curtainwall-.*)$/i;
const visible = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x20-\x7e])?$/;
const separatorText = /^[\n\x20-\x7e]{0,8}$/;
/** Of a claim, or of what an authorization server takes. */
const claim = /^[\x20-\x7e]{1,400}$/;
const awsName = /^[a-z0-9-]{1,40}$/;
/** RFC 6749 §3.3. */
const scopeText = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const signedParts = ["method", "path", "target", "timestamp", "body", "body-digest"];

const makers =
  "bearer(), basic(), inHeader(), inQuery(), hmac(), awsSignature(), jwtAssertion() or clientCredentials()";

/** What each kind is made of, besides its kind. */
type Reader = (read: Fields) => Members;

/** Reads how a secret is put into a request. */
export function parseInjector(problems: Problems, where: string, value: unknown): Injector | undefined {
  const reader = isMembers(value) && typeof value.kind === "string" ? readers.get(value.kind) : undefined;
  if (reader === undefined || !isMembers(value))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must say how it is put into a request, by ${makers}, not ${quote(value)}.`,
      "inject: bearer(),",
    );
  const fields = new Fields(problems, `${where}, ${String(value.kind)}`, value);
  const read = reader(fields);
  checkNames(problems, where, value, ["kind", ...Object.keys(read), ...optionalNames(value.kind as string)]);
  return Object.freeze({ kind: value.kind, ...read }) as Injector;
}

/** Fields that are absent where nobody wrote them. */
const optionalNames = (kind: string): readonly string[] =>
  kind === "client-credentials" ? ["scope", "audience"] : [];

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["bearer", () => ({})],
  ["basic", () => ({})],
  ["header", (read) => ({ name: read.header("name"), prefix: read.prefix() })],
  ["query", (read) => ({ name: read.matching("name", visible, 'a query key like "key"') })],
  ["hmac", readHmac],
  [
    "aws",
    (read) => ({
      region: read.matching("region", awsName, 'a region like "eu-central-1"'),
      service: read.matching("service", awsName, 'a service like "s3"'),
    }),
  ],
  [
    "jwt",
    (read) => ({
      issuer: read.matching("issuer", claim, "a text"),
      subject: read.matching("subject", claim, "a text"),
      audience: read.matching("audience", claim, "a text"),
      algorithm: read.oneOf("algorithm", ["ES256", "RS256", "EdDSA"]),
      keyId: read.matching("keyId", /^[\x21-\x7e]{0,200}$/, "a key's name"),
      lifetimeSeconds: number(read.problems, `${read.where}.lifetimeSeconds`, read.given.lifetimeSeconds, {
        min: 10,
        max: 3600,
        fallback: 300,
      }),
    }),
  ],
  ["client-credentials", readClientCredentials],
]);

function readHmac(read: Fields): Members {
  const { over } = read.given;
  const parts: readonly unknown[] = Array.isArray(over) ? over : [];
  if (
    parts.length === 0 ||
    new Set(parts).size < parts.length ||
    !parts.every((part) => signedParts.includes(part as string))
  )
    read.refuse("over", `some of ${signedParts.join(", ")}, each once`, 'over: ["timestamp", "body"],');
  const header = read.header("header");
  const timestampHeader = read.header("timestampHeader");
  if (parts.includes("timestamp") && header.toLowerCase() === timestampHeader.toLowerCase())
    read.refuse("timestampHeader", `another header than the signature's, ${quote(header)}`);
  return {
    header,
    over: Object.freeze([...parts]),
    separator: read.matching("separator", separatorText, "at most 8 characters"),
    algorithm: read.oneOf("algorithm", ["sha256", "sha384", "sha512"]),
    encoding: read.oneOf("encoding", ["hex", "base64", "base64url"]),
    prefix: read.prefix(),
    timestampHeader,
  };
}

function readClientCredentials(read: Fields): Members {
  const { tokenUrl } = read.given;
  const url = typeof tokenUrl === "string" ? URL.parse(tokenUrl) : null;
  const isPlain = url !== null && url.username === "" && url.password === "" && url.hash === "";
  if (!isPlain || url.protocol !== "https:")
    read.refuse(
      "tokenUrl",
      "an https URL without user or fragment",
      'tokenUrl: "https://login.example/token",',
    );
  const { scope, audience } = read.given;
  return {
    tokenUrl: isPlain ? url.href : "",
    ...(scope === undefined
      ? {}
      : { scope: read.matching("scope", scopeText, "scopes, separated by a blank") }),
    ...(audience === undefined ? {} : { audience: read.matching("audience", claim, "a text") }),
    authentication: read.oneOf("authentication", ["basic", "post"]),
  };
}

/** The options of one injector, each of which is told by its name when it is wrong. */
class Fields {
  readonly problems: Problems;
  readonly where: string;
  readonly given: Members;

  constructor(problems: Problems, where: string, given: Members) {
    this.problems = problems;
    this.where = where;
    this.given = given;
  }

  refuse(name: string, what: string, hint?: string): void {
    this.problems.add(
      "CONTRACT_OPTION_INVALID",
      `${this.where}.${name} must be ${what}, not ${quote(this.given[name])}.`,
      hint,
    );
  }

  matching(name: string, grammar: RegExp, what: string): string {
    const value = this.given[name];
    if (typeof value === "string" && grammar.test(value)) return value;
    this.refuse(name, what);
    return "";
  }

  oneOf(name: string, names: readonly string[]): string {
    const value = this.given[name];
    if (typeof value === "string" && names.includes(value)) return value;
    this.refuse(name, `one of ${names.join(", ")}`);
    return "";
  }

  header(name: string): string {
    const value = this.matching(name, headerName, 'a header\'s name like "X-Api-Key"');
    if (ownHeaders.test(value))
      this.refuse(name, "a header that says nothing of how the request is sent", 'inHeader("X-Api-Key")');
    return value;
  }

  prefix(): string {
    return this.given.prefix === "" ? "" : this.matching("prefix", visible, "at most 64 visible characters");
  }
}
