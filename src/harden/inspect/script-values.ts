import { isNode, walkSyntax } from "./script-syntax.ts";
import type { SyntaxNode } from "./script-syntax.ts";

/** A text as far as the source tells it: all of it (`whole`), or how it begins. */
export interface KnownText {
  readonly text: string;
  readonly whole: boolean;
}

/** What can be known of a program's values without running it. */
export interface KnownValues {
  /** Every text that an expression may be; undefined if it may be something that can't be seen. */
  of(node: unknown): readonly KnownText[] | undefined;
}

/** Stands for the site's own host in a text: no source has it there. */
export const ownHost = "\u0000";

/** More alternatives than these are not followed. */
const maxTexts = 16;
const maxDepth = 24;

interface Binding {
  count: number;
  /** What it is set to, once and for all. */
  init?: unknown;
  /** The function whose parameter it is, and which. */
  parameter?: { readonly of: SyntaxNode; readonly index: number };
}

/** What the address bar says, as the beginning of an address. */
const locationTexts: Readonly<Record<string, KnownText>> = {
  origin: { text: `https://${ownHost}`, whole: true },
  host: { text: ownHost, whole: true },
  hostname: { text: ownHost, whole: true },
  protocol: { text: "https:", whole: true },
  href: { text: `https://${ownHost}/`, whole: false },
  pathname: { text: "/", whole: false },
  search: { text: "?", whole: false },
};

/**
 * Finds what a program's texts may be: constants that nothing sets again, and parameters of functions that the program itself calls by
 * name and hands to nobody. In a classic script other scripts reach what stands outermost, so only its `const`s count there.
 */
export function knownValues(program: SyntaxNode): KnownValues {
  const bindings = new Map<string, Binding>();
  /** By function: the calls of it. */
  const calls = new Map<string, SyntaxNode[]>();
  const references = new Map<string, number>();
  const namesOf = new Map<SyntaxNode, string>();
  const open = outermost(program);
  const properties = new Set<unknown>();

  const bind = (pattern: unknown, more: Omit<Binding, "count"> = {}): void => {
    if (!isNode(pattern)) return;
    if (pattern.type === "Identifier") {
      const name = String(pattern["name"]);
      bindings.set(name, { count: (bindings.get(name)?.count ?? 0) + 1, ...more });
    } else walkSyntax(pattern, (inner) => inner.type === "Identifier" && bind(inner));
  };

  walkSyntax(program, (node) => {
    switch (node.type) {
      case "Identifier":
        if (!properties.has(node)) {
          const name = String(node["name"]);
          references.set(name, (references.get(name) ?? 0) + 1);
        }
        break;
      case "MemberExpression":
      case "OptionalMemberExpression":
        if (node["computed"] !== true) properties.add(node["property"]);
        break;
      case "ObjectProperty":
      case "ObjectMethod":
      case "ClassMethod":
        if (node["computed"] !== true && node["shorthand"] !== true) properties.add(node["key"]);
        break;
      case "VariableDeclarator":
        bind(node["id"], open.has(node) ? {} : { init: node["init"] });
        if (isFunction(node["init"]) && !isNode(node["init"]["id"]) && isNode(node["id"]) && !open.has(node))
          namesOf.set(node["init"], String(node["id"]["name"]));
        break;
      case "FunctionDeclaration":
        bind(node["id"]);
        if (isNode(node["id"]) && !open.has(node)) namesOf.set(node, String(node["id"]["name"]));
        break;
      case "ClassDeclaration":
      case "ClassExpression":
      case "FunctionExpression":
        bind(node["id"]);
        break;
      case "ImportSpecifier":
      case "ImportDefaultSpecifier":
      case "ImportNamespaceSpecifier":
        bind(node["local"]);
        break;
      case "CatchClause":
        bind(node["param"]);
        break;
      case "AssignmentExpression":
      case "ForInStatement":
      case "ForOfStatement":
        bind(node["left"]);
        break;
      case "UpdateExpression":
        bind(node["argument"]);
        break;
      case "CallExpression": {
        const callee = node["callee"];
        if (!isNode(callee) || callee.type !== "Identifier") break;
        const name = String(callee["name"]);
        calls.set(name, [...(calls.get(name) ?? []), node]);
        break;
      }
      default:
    }
    if (Array.isArray(node["params"]))
      for (const [index, parameter] of node["params"].entries())
        bind(parameter, isIdentifier(parameter) ? { parameter: { of: node, index } } : {});
  });

  const ofIdentifier = (name: string, depth: number): readonly KnownText[] | undefined => {
    const binding = bindings.get(name);
    if (binding?.count !== 1) return undefined;
    return binding.parameter === undefined
      ? of(binding.init, depth + 1)
      : ofParameter(binding.parameter, depth + 1);
  };

  /** All that the calls of a function give it, if they can be counted. */
  const ofParameter = (
    { of: owner, index }: NonNullable<Binding["parameter"]>,
    depth: number,
  ): readonly KnownText[] | undefined => {
    const name = namesOf.get(owner);
    if (name === undefined || bindings.get(name)?.count !== 1) return undefined;
    const called = calls.get(name) ?? [];
    if (called.length === 0 || called.length + 1 !== references.get(name)) return undefined;
    return union(
      called.map((call) => {
        const list = call["arguments"] as readonly SyntaxNode[];
        return list.some(({ type }) => type === "SpreadElement") ? undefined : of(list[index], depth);
      }),
    );
  };

  const of = (node: unknown, depth = 0): readonly KnownText[] | undefined => {
    if (!isNode(node) || depth > maxDepth) return undefined;
    switch (node.type) {
      case "StringLiteral":
        return [{ text: String(node["value"]), whole: true }];
      case "TemplateLiteral":
        return concatenate(templateParts(node, depth, of));
      case "BinaryExpression":
        return node["operator"] === "+"
          ? concatenate([of(node["left"], depth + 1), of(node["right"], depth + 1)])
          : undefined;
      case "ConditionalExpression":
        return union([of(node["consequent"], depth + 1), of(node["alternate"], depth + 1)]);
      case "LogicalExpression":
        return node["operator"] === "&&"
          ? of(node["right"], depth + 1)
          : union([of(node["left"], depth + 1), of(node["right"], depth + 1)]);
      case "ParenthesizedExpression":
        return of(node["expression"], depth + 1);
      case "Identifier":
        return ofIdentifier(String(node["name"]), depth);
      case "NewExpression":
        return ofNew(node, depth, of);
      case "MemberExpression":
        return ofMember(node, depth, of, bindings.has("location"));
      default:
        return undefined;
    }
  };
  return { of: (node) => of(node) };
}

type Of = (node: unknown, depth: number) => readonly KnownText[] | undefined;

/** What other scripts can set or call: it stands outermost in a classic script, or is exported from a module. */
function outermost(program: SyntaxNode): ReadonlySet<unknown> {
  const found = new Set<unknown>();
  const isModule = program["sourceType"] === "module";
  for (const statement of program["body"] as readonly SyntaxNode[]) {
    const exported = statement.type.startsWith("Export");
    const declaration = exported ? statement["declaration"] : statement;
    if (!isNode(declaration) || (isModule && !exported)) continue;
    found.add(declaration);
    if (declaration.type === "VariableDeclaration" && declaration["kind"] !== "const")
      for (const declarator of declaration["declarations"] as readonly unknown[]) found.add(declarator);
    // Of a constant function the value is known, but not who calls it.
    else if (declaration.type === "VariableDeclaration")
      for (const declarator of declaration["declarations"] as readonly SyntaxNode[])
        if (isFunction(declarator["init"])) found.add(declarator);
  }
  return found;
}

function isFunction(node: unknown): node is SyntaxNode {
  return isNode(node) && (node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression");
}

const isIdentifier = (node: unknown): boolean => isNode(node) && node.type === "Identifier";

function templateParts(node: SyntaxNode, depth: number, of: Of): (readonly KnownText[] | undefined)[] {
  const expressions = node["expressions"] as readonly unknown[];
  return (node["quasis"] as readonly { value: { cooked: string | null } }[]).flatMap(({ value }, index) => [
    [{ text: value.cooked ?? "", whole: true }],
    ...(index < expressions.length ? [of(expressions[index], depth + 1)] : []),
  ]);
}

/** Texts one after the other, as far as they are known. */
function concatenate(parts: readonly (readonly KnownText[] | undefined)[]): readonly KnownText[] | undefined {
  let texts: readonly KnownText[] = [{ text: "", whole: true }];
  for (const part of parts) {
    texts = texts.flatMap((head) => {
      if (!head.whole) return [head];
      if (part === undefined) return [{ text: head.text, whole: false }];
      return part.map((tail) => ({ text: head.text + tail.text, whole: tail.whole }));
    });
    if (texts.length > maxTexts) return undefined;
  }
  return texts;
}

function union(lists: readonly (readonly KnownText[] | undefined)[]): readonly KnownText[] | undefined {
  const texts: KnownText[] = [];
  for (const list of lists) {
    if (list === undefined) return undefined;
    texts.push(...list);
  }
  return texts.length > maxTexts ? undefined : texts;
}

/** `new URL(…)` and `new Request(…)`. */
function ofNew(node: SyntaxNode, depth: number, of: Of): readonly KnownText[] | undefined {
  const callee = node["callee"];
  const name = isNode(callee) ? callee["name"] : undefined;
  const [address, base] = node["arguments"] as readonly unknown[];
  if (name !== "URL" && name !== "Request") return undefined;
  const texts = of(address, depth + 1);
  if (name === "Request" || base === undefined || isOwnAddress(base)) return texts;
  const bases = of(base, depth + 1);
  if (texts === undefined || bases === undefined) return undefined;
  return union(
    texts.map(({ text }) =>
      union(
        bases.map((start) => {
          const site = start.text.includes(ownHost);
          const url = URL.parse(text, start.text.replace(ownHost, "site.invalid"));
          if (url === null) return undefined;
          const href = site ? url.href.replace("//site.invalid", `//${ownHost}`) : url.href;
          return [{ text: href, whole: false }];
        }),
      ),
    ),
  );
}

/** `location`, `location.href`, `document.baseURI`, `import.meta.url`: what addresses start from anyway. */
function isOwnAddress(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === "Identifier") return node["name"] === "location";
  if (node.type !== "MemberExpression" || node["computed"] === true) return false;
  const object = node["object"];
  const property = isNode(node["property"]) ? node["property"]["name"] : undefined;
  if (!isNode(object)) return false;
  if (object.type === "MetaProperty") return property === "url";
  if (object["name"] === "document") return ["baseURI", "URL", "location"].includes(String(property));
  if (object["name"] === "window" || object["name"] === "self") return property === "location";
  return property === "href" && isOwnAddress(object);
}

function ofMember(
  node: SyntaxNode,
  depth: number,
  of: Of,
  locationIsTheirs: boolean,
): readonly KnownText[] | undefined {
  const object = node["object"];
  const property = node["property"];
  if (node["computed"] === true || !isNode(object) || !isNode(property)) return undefined;
  const name = String(property["name"]);
  if (name === "href" && object.type === "NewExpression") return of(object, depth + 1);
  const known = Object.hasOwn(locationTexts, name) ? locationTexts[name] : undefined;
  const isLocation = isOwnAddress(object) && (object.type !== "Identifier" || !locationIsTheirs);
  return known !== undefined && isLocation ? [known] : undefined;
}
