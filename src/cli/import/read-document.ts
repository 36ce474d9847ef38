import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { isScalar, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { CurtainwallError } from "../../shared/index.ts";

/** A description of an API, as it was read. */
export interface ReadDocument {
  readonly document: unknown;
  /** How it is called: a file's name, or an address. */
  readonly from: string;
  /** Its address, if it has one: what it says of servers is relative to it. */
  readonly base: URL | undefined;
}

/** The largest that is read: GitHub's has 12 MB. */
export const maxDocumentBytes = 33_554_432;
const fetchTimeoutMs = 20_000;
/** What may begin a value in YAML, of which so much is read: each takes about two kilobytes. */
const maxYamlParts = 1_000_000;
/** An alias that is repeated makes much of little. */
const maxAliases = 100;

const unreadable = (message: string, hint?: string): CurtainwallError =>
  new CurtainwallError("CLI_DESCRIPTION_INVALID", message, hint === undefined ? {} : { hint });

/**
 * Reads an OpenAPI description from a file, or from an address of this machine: nothing else is asked, and no redirect is followed.
 *
 * @throws {CurtainwallError} `CLI_DESCRIPTION_INVALID` when there is none, it is too large, or neither JSON nor YAML
 */
export async function readDescription(source: string): Promise<ReadDocument> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(source))
    return { document: parse(readFile(source), source), from: basename(source), base: undefined };
  const url = URL.parse(source);
  if (url === null || !isThisMachine(url))
    throw unreadable(
      `${source} is not fetched: only addresses of this machine are.`,
      "Save the description as a file, and name that",
    );
  return { document: parse(await fetchText(url), source), from: url.href, base: url };
}

/** Names that no resolver is asked for: another could lead anywhere. */
const isThisMachine = ({ protocol, hostname, username, password }: URL): boolean =>
  (protocol === "https:" || protocol === "http:") &&
  (hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname)) &&
  username === "" &&
  password === "";

function readFile(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw unreadable(`${path} can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw unreadable(`${path} is no file.`);
    if (stats.size > maxDocumentBytes) throw tooLarge(path);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

const tooLarge = (source: string): CurtainwallError =>
  unreadable(
    `${source} is larger than ${maxDocumentBytes} bytes.`,
    "Leave out what the API does not offer to clients",
  );

async function fetchText(url: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      redirect: "error",
      headers: { accept: "application/json, application/yaml, text/yaml, */*" },
      signal: AbortSignal.timeout(fetchTimeoutMs),
    });
    if (!response.ok) throw unreadable(`${url.href} answers ${response.status}.`);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > maxDocumentBytes) throw tooLarge(url.href);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof CurtainwallError) throw error;
    const { message, cause } = error as Error & { cause?: { code?: string } };
    throw unreadable(`${url.href} can't be fetched: ${cause?.code ?? message}.`);
  }
}

function parse(bytes: Uint8Array, source: string): unknown {
  const text = decode(bytes, source);
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      // YAML may begin so too; what is neither is told as JSON, which it most likely was meant to be.
      const yaml = text.length > 1_000_000 ? undefined : tryYaml(text);
      if (yaml !== undefined) return yaml.value;
      throw unreadable(`${source} is cut off, or no JSON: ${(error as Error).message}`);
    }
  }
  if (countParts(text) > maxYamlParts)
    throw unreadable(
      `${source} has more than the ${maxYamlParts} lines and values of YAML that are read.`,
      "Save it as JSON, which takes less to be read",
    );
  const yaml = tryYaml(text);
  if (yaml === undefined) throw unreadable(`${source} is neither JSON nor YAML.`);
  return yaml.value;
}

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(`${source} is not UTF-8.`);
  }
}

/** Lines, commas, brackets that open, and dashes before a blank: at least as many as there are values, or pairs of them. */
function countParts(text: string): number {
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isPart = code === 10 || code === 44 || code === 91 || code === 123;
    if (isPart || (code === 45 && text.charCodeAt(at + 1) === 32)) parts++;
  }
  return parts;
}

/** As JSON would have it: no tags of its own, no merges, few aliases. */
function tryYaml(text: string): { value: unknown } | undefined {
  try {
    const document = parseDocument(text, {
      schema: "core",
      version: "1.2",
      prettyErrors: false,
      logLevel: "silent",
      // It compares each key with each other; hasKeyTwice looks once.
      uniqueKeys: false,
    });
    return document.errors.length > 0 || hasKeyTwice(document)
      ? undefined
      : { value: document.toJS({ maxAliasCount: maxAliases }) as unknown };
  } catch {
    // Too many aliases, or nested deeper than there is room for.
    return undefined;
  }
}

/** Which of two counts, readers disagree on. */
function hasKeyTwice(document: Document): boolean {
  let isTwice = false;
  visit(document, {
    Map(_, { items }) {
      const names = items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []));
      isTwice = new Set(names).size < names.length;
      return isTwice ? visit.BREAK : undefined;
    },
  });
  return isTwice;
}
