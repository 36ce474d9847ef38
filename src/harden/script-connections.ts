import { isNode, maxParsedLength, parseScript, textOf, walkSyntax } from "./script-syntax.ts";
import type { SyntaxNode } from "./script-syntax.ts";

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
 * Finds the addresses that a script connects to, where it writes them out in the call: `fetch("/search.json")`,
 * `new WebSocket("wss://…")`, `request.open("GET", "…")`.
 */
export function findConnections(source: string, asModule: boolean): Connections {
  if (!words.test(source)) return { addresses: [], unknown: [] };
  if (source.length > maxParsedLength) return { addresses: [], unknown: ["a script too long to be read"] };
  const program = parseScript(source, asModule);
  if (program === undefined) return { addresses: [], unknown: [] };
  const addresses = new Set<string>();
  const unknown = new Set<string>();
  const note = (way: string, argument: unknown): void => {
    const address = addressOf(argument);
    if (address === undefined) unknown.add(way);
    else addresses.add(address);
  };
  let opens = 0;
  walkSyntax(program, (node) => {
    const way = wayOf(node);
    if (way === undefined) return;
    const list = node["arguments"] as readonly unknown[];
    if (way === "open") {
      if (httpMethod.test(textOf(list[0])?.text ?? "")) {
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

/** An address, if where it leads can be seen: all of it, its beginning up to the path, or a path of the site. */
function addressOf(argument: unknown): string | undefined {
  if (isNode(argument) && argument.type === "NewExpression" && nameOf(argument["callee"]) === "URL")
    return addressOf((argument["arguments"] as readonly unknown[])[0]);
  const found = textOf(argument);
  if (found === undefined) return undefined;
  if (found.whole) return found.text;
  const beginning = /^(?:[a-z]+:)?\/\/[^/?#]+\/|^\.{0,2}\/(?!\/)|^[a-z0-9_-]+\//i.exec(found.text)?.[0];
  return beginning === undefined ? undefined : found.text;
}
