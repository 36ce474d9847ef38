import { isNode, maxParsedLength, parseScript, walkSyntax } from "./script-syntax.ts";
import type { SyntaxNode } from "./script-syntax.ts";
import { knownValues, ownHost } from "./script-values.ts";
import type { KnownText, KnownValues } from "./script-values.ts";

/** Where a script connects to. */
export interface Connections {
  /** Addresses as written, whole or their beginning up to the path. */
  readonly addresses: readonly string[];
  /** Ways of connecting whose address can't be seen, by their names. */
  readonly unknown: readonly string[];
}

/** A word in a text or a table of words is no use of it. */
const words =
  /\bfetch\s*[(),;.=?]|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b|\bsendBeacon\b|\bWebTransport\b|\bRTCPeerConnection\b/;
const constructors = new Set(["WebSocket", "EventSource", "WebTransport"]);
const httpMethod = /^(?:get|head|post|put|patch|delete|options)$/i;

/**
 * Finds the addresses that a script connects to, where they stand in the call or can be traced to it: `fetch("/search.json")`,
 * `new WebSocket("wss://…")`, `request.open("GET", api + path)` with `api` a constant.
 */
export function findConnections(source: string, asModule: boolean): Connections {
  if (!words.test(source)) return { addresses: [], unknown: [] };
  if (source.length > maxParsedLength) return { addresses: [], unknown: ["a script too long to be read"] };
  const program = parseScript(source, asModule);
  if (program === undefined) return { addresses: [], unknown: [] };
  const values = knownValues(program);
  const addresses = new Set<string>();
  const unknown = new Set<string>();
  const note = (way: string, argument: unknown): void => {
    const found = addressesOf(values, argument);
    if (found === undefined) unknown.add(way);
    for (const address of found ?? []) addresses.add(address);
  };
  let opens = 0;
  walkSyntax(program, (node) => {
    const way = wayOf(node);
    if (way === undefined) return;
    const list = node["arguments"] as readonly unknown[];
    if (way === "open") {
      if (isMethod(values.of(list[0]))) {
        opens++;
        note("XMLHttpRequest", list[1]);
      } else if (list.length >= 3) {
        opens++;
        unknown.add("XMLHttpRequest");
      }
    } else note(way, list[0]);
  });
  if (/\bXMLHttpRequest\b/.test(source) && opens === 0) unknown.add("XMLHttpRequest");
  if (/\bRTCPeerConnection\b/.test(source)) unknown.add("RTCPeerConnection");
  return { addresses: [...addresses].sort(), unknown: [...unknown].sort() };
}

function isMethod(texts: readonly KnownText[] | undefined): boolean {
  return texts !== undefined && texts.every(({ text, whole }) => whole && httpMethod.test(text));
}

/** The way of connecting that a call is, if it is one. */
function wayOf(node: SyntaxNode): string | undefined {
  if (
    node.type !== "CallExpression" &&
    node.type !== "OptionalCallExpression" &&
    node.type !== "NewExpression"
  )
    return undefined;
  const name = nameOf(node["callee"]);
  if (node.type === "NewExpression") return constructors.has(name ?? "") ? name : undefined;
  if (name === "fetch" || name === "sendBeacon") return name;
  return name === "open" && isNode(node["callee"]) && node["callee"].type !== "Identifier"
    ? "open"
    : undefined;
}

/** `fetch`, `window.fetch` and `self?.fetch` are one. */
function nameOf(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined;
  if (callee.type === "Identifier") return String(callee["name"]);
  const property = callee["property"];
  return isNode(property) && property.type === "Identifier" && callee["computed"] !== true
    ? String(property["name"])
    : undefined;
}

/** The addresses that an argument may be, if all of them can be seen as far as their origin. */
function addressesOf(values: KnownValues, argument: unknown): readonly string[] | undefined {
  const texts = values.of(argument);
  if (texts === undefined) return undefined;
  const addresses = texts.map(addressOf);
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

/** A host with a dot and a last part that is no fragment of a name: what follows is the path. */
const wholeHost = /^(?:https?|wss?):\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d{2,5})?$/i;

/** An address as far as it has to be known: all of it, its beginning up to the path, or a path of the site. */
function addressOf({ text, whole }: KnownText): string | undefined {
  const own = /^(?:(?:https?|wss?):)?\/\/\u0000(?=[/?#]|$)/.exec(text)?.[0];
  if (own !== undefined) return `/${text.slice(own.length).replace(/^\//, "")}`;
  if (text.includes(ownHost)) return undefined;
  if (whole || wholeHost.test(text)) return text;
  if (/^(?:(?:https?|wss?):)?[/\\]{2}/i.test(text))
    return /^[^/\\]*[/\\]{2}[^/\\?#@]+[/\\?#]/.test(text) ? text : undefined;
  // Where a path or a query has begun before any colon, no scheme can follow.
  return /^[^:]*?[/?#]/.test(text) ? text : undefined;
}
