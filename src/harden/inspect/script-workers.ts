import { isNode, maxParsedLength, parseScript, walkSyntax } from "./script-syntax.ts";
import type { SyntaxNode } from "./script-syntax.ts";
import { knownValues, ownHost } from "./script-values.ts";
import type { KnownValues } from "./script-values.ts";

/** Script files that a script runs elsewhere than in its page. */
export interface RunFiles {
  /** Their addresses, as written. */
  readonly addresses: readonly string[];
  /** There are others, whose addresses can't be seen. */
  readonly unknown: boolean;
}

/** What a script runs in workers. */
export interface ScriptWorkers {
  /** By `new Worker`, `new SharedWorker` and `navigator.serviceWorker.register`. */
  readonly starts: RunFiles;
  /** By `importScripts`, which only workers have. */
  readonly importScripts: RunFiles;
}

const none: RunFiles = { addresses: [], unknown: false };
const words = /\b(?:Shared)?Worker\s*\(|\bserviceWorker\b|\bimportScripts\b/;
const globals = new Set(["window", "self", "globalThis", "navigator"]);
const kinds: Readonly<Record<string, keyof ScriptWorkers>> = {
  Worker: "starts",
  SharedWorker: "starts",
  serviceWorker: "starts",
  importScripts: "importScripts",
};

/**
 * Finds the files that a script runs in workers, where their addresses stand in the call or can be traced to it. A way of starting one
 * that is neither called nor only asked about (`typeof Worker`) may be called by another name: that counts as an address that can't be seen.
 */
export function findWorkers(source: string, asModule: boolean): ScriptWorkers {
  if (!words.test(source)) return { starts: none, importScripts: none };
  if (source.length > maxParsedLength) {
    const unknown = { addresses: [], unknown: true };
    return { starts: unknown, importScripts: unknown };
  }
  const program = parseScript(source, asModule);
  if (program === undefined) return { starts: none, importScripts: none };
  const values = knownValues(program);
  const found = { starts: new Set<string>(), importScripts: new Set<string>() };
  const unknown = { starts: false, importScripts: false };
  /** Names that need no more attention. */
  const settled = new Set<unknown>();
  walkSyntax(program, (node) => {
    for (const part of harmlessIn(node)) settled.add(part);
    const call = callOf(node);
    if (call !== undefined) {
      settled.add(call.name);
      for (const argument of call.files) {
        const addresses = addressesOf(values, argument);
        for (const address of addresses ?? []) found[call.kind].add(address);
        if (addresses === undefined) unknown[call.kind] = true;
      }
    }
    if (node.type !== "Identifier" || settled.has(node)) return;
    const kind = kindOf(node);
    if (kind !== undefined) unknown[kind] = true;
  });
  const filesOf = (kind: keyof ScriptWorkers): RunFiles => ({
    addresses: [...found[kind]].sort(),
    unknown: unknown[kind],
  });
  return { starts: filesOf("starts"), importScripts: filesOf("importScripts") };
}

function kindOf({ name }: SyntaxNode): keyof ScriptWorkers | undefined {
  return Object.hasOwn(kinds, String(name)) ? kinds[String(name)] : undefined;
}

interface WorkerCall {
  readonly kind: keyof ScriptWorkers;
  /** The node that names what is called. */
  readonly name: SyntaxNode;
  readonly files: readonly unknown[];
}

function callOf({ type, callee, arguments: list }: SyntaxNode): WorkerCall | undefined {
  if (type !== "NewExpression" && type !== "CallExpression" && type !== "OptionalCallExpression")
    return undefined;
  const [first, ...others] = list as readonly unknown[];
  const name = nameIn(callee);
  if (name === undefined) return undefined;
  const called = String(name["name"]);
  if (called === "importScripts" && type !== "NewExpression")
    return { kind: "importScripts", name, files: [first, ...others] };
  if (type === "NewExpression")
    return kindOf(name) === "starts"
      ? { kind: "starts", name, files: isBlob(first) ? [] : [first] }
      : undefined;
  const container = isNode(callee) ? nameIn(callee["object"]) : undefined;
  return called === "register" && container?.["name"] === "serviceWorker"
    ? { kind: "starts", name: container, files: [first] }
    : undefined;
}

/** `Worker`, `window.Worker` and `self?.Worker` are one. */
function nameIn(node: unknown): SyntaxNode | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return node;
  const property = node["property"];
  return isNode(property) && property.type === "Identifier" && node["computed"] !== true
    ? property
    : undefined;
}

/** `new Worker(URL.createObjectURL(…))`: its code is in the script itself. */
const isBlob = (node: unknown): boolean =>
  isNode(node) && nameIn(node["callee"])?.["name"] === "createObjectURL";

/** Names that are no use of what they name: they are asked about, are somebody else's members, or are keys. */
function harmlessIn(node: SyntaxNode): readonly unknown[] {
  switch (node.type) {
    case "UnaryExpression":
      return [nameIn(node["argument"])];
    case "IfStatement":
    case "ConditionalExpression":
      return [nameIn(node["test"])];
    case "LogicalExpression":
      return node["operator"] === "&&" ? [nameIn(node["left"])] : [];
    case "BinaryExpression":
      return [nameIn(node["left"]), nameIn(node["right"])];
    case "ObjectProperty":
    case "ObjectMethod":
    case "ClassMethod":
    case "ClassProperty":
      return node["computed"] === true || node["shorthand"] === true ? [] : [node["key"]];
    case "MemberExpression":
    case "OptionalMemberExpression":
      return harmlessMembers(node);
    default:
      return [];
  }
}

function harmlessMembers({ object, property, computed }: SyntaxNode): readonly unknown[] {
  if (computed === true || !isNode(property)) return [];
  // `navigator.serviceWorker.ready` starts nothing.
  const inner = nameIn(object);
  const asked = inner?.["name"] === "serviceWorker" && property["name"] !== "register" ? [inner] : [];
  const isGlobal = isNode(object) && globals.has(String(nameIn(object)?.["name"]));
  return isGlobal ? asked : [...asked, property];
}

/** The addresses that an argument may be, if all of them can be seen. */
function addressesOf(values: KnownValues, argument: unknown): readonly string[] | undefined {
  const texts = values.of(argument);
  const addresses = texts?.map(({ text, whole }) => {
    const own = text.replace(/^(?:https?:)?\/\/\u0000(?=\/)/, "");
    return whole && !own.includes(ownHost) ? own : undefined;
  });
  return addresses?.every((address) => address !== undefined) ? addresses : undefined;
}
