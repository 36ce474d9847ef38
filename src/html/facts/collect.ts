import type {
  AttributeFact,
  NestedPageFact,
  PageFacts,
  PragmaFact,
  ReadPageOptions,
  ResourceFact,
  ScriptFact,
  StyleFact,
} from "./page-facts.ts";
import { declaredEncoding } from "../text/prescan.ts";
import { animatedAddresses, animatesAddress, isReference, resourcesOf } from "./resources.ts";
import { scriptType } from "./script-type.ts";
import { isScriptUrl } from "./script-url.ts";
import type { ElementRead, StartTag } from "./start-tag.ts";

/** The facts that come from start tags. */
export type TagFacts = Pick<
  PageFacts,
  | "scripts"
  | "styles"
  | "handlers"
  | "styleAttributes"
  | "scriptUrls"
  | "resources"
  | "base"
  | "pragmas"
  | "charsets"
  | "nested"
  | "submitsToItself"
  | "shadowRoots"
  | "ids"
>;

/** Gathers facts from start tags in the order of the page. */
export interface Collector {
  readonly add: (tag: StartTag) => void;
  /** For an address that no tag holds. */
  readonly addResource: (resource: ResourceFact) => void;
  readonly facts: () => TagFacts;
}

/** Reads the page in a `srcdoc`. */
export type ReadNested = (bytes: Uint8Array) => PageFacts;

/** Attributes that send a browser somewhere, by HTML element. */
const navigating: Record<string, string> = {
  a: "href",
  area: "href",
  button: "formaction",
  embed: "src",
  form: "action",
  frame: "src",
  iframe: "src",
  input: "formaction",
  object: "data",
  portal: "src",
};

/** Makes a {@link Collector}. */
export function createCollector(options: ReadPageOptions, readNested: ReadNested): Collector {
  const scripts: ScriptFact[] = [];
  const styles: StyleFact[] = [];
  const handlers: AttributeFact[] = [];
  const styleAttributes: AttributeFact[] = [];
  const scriptUrls: AttributeFact[] = [];
  const resources: ResourceFact[] = [];
  const pragmas: PragmaFact[] = [];
  const charsets: AttributeFact[] = [];
  const nested: NestedPageFact[] = [];
  const ids = options.ids === true ? new Set<string>() : undefined;
  let base: string | undefined;
  let submitsToItself = false;
  let shadowRoots = false;

  const add = (tag: StartTag): void => {
    const element = asElement(tag);
    if (element.script !== undefined) scripts.push(element.script);
    else if (tag.name === "style" && tag.content !== undefined)
      styles.push({ ...tag.content, attributes: tag.attributes });
    for (const attribute of tag.attributes) {
      // Only XML has names in capitals, and there they are others.
      const { name } = attribute;
      if (name.startsWith("on") && !/[A-Z]/.test(name)) handlers.push(attribute);
      else if (name === "style") styleAttributes.push(attribute);
      else if (name === "id" && !tag.isInert && attribute.value !== "") ids?.add(attribute.value);
    }
    for (const attribute of scriptUrlsOf(element)) scriptUrls.push(attribute);
    for (const resource of resourcesOf(element))
      if (resource.kind !== "link" || options.links !== false) resources.push(resource);
    if (tag.namespace === "html") addHtml(element);
  };

  const addHtml = (element: ElementRead): void => {
    const { name, isInert } = element;
    if (name === "meta") addMeta(element);
    if (name === "base" && !isInert) base ??= element.attribute("href")?.value;
    if (name === "template") shadowRoots ||= element.attribute("shadowrootmode") !== undefined;
    if (name === "form") submitsToItself ||= (element.attribute("action")?.value.trim() ?? "") === "";
    if (name === "a" && !isInert) {
      const anchor = element.attribute("name")?.value ?? "";
      if (anchor !== "") ids?.add(anchor);
    }
    const srcdoc = name === "iframe" || name === "frame" ? element.attribute("srcdoc") : undefined;
    if (srcdoc !== undefined)
      nested.push({ attribute: srcdoc, page: readNested(new TextEncoder().encode(srcdoc.value)) });
  };

  const addMeta = (element: ElementRead): void => {
    const [pragma, content] = [element.attribute("http-equiv"), element.attribute("content")];
    if (pragma !== undefined)
      pragmas.push({
        name: pragma.value.toLowerCase(),
        content: content?.value ?? "",
        element: element.tag,
        inert: element.isInert,
      });
    if (declaredEncoding((name) => element.attribute(name)?.value) === undefined) return;
    const declaring = element.attribute("charset") ?? content;
    if (declaring !== undefined && !element.isInert) charsets.push(declaring);
  };

  const facts = (): TagFacts => ({
    scripts,
    styles,
    handlers,
    styleAttributes,
    scriptUrls,
    resources,
    base,
    pragmas,
    charsets,
    nested,
    submitsToItself,
    shadowRoots,
    ids: ids === undefined ? undefined : [...ids],
  });

  return { add, addResource: (resource) => resources.push(resource), facts };
}

function asElement(tag: StartTag): ElementRead {
  const { name, namespace, attributes, isInert, content } = tag;
  const attribute = (wanted: string): AttributeFact | undefined => {
    for (const candidate of attributes) if (candidate.name === wanted) return candidate;
    return undefined;
  };
  const script = name === "script" ? asScript(tag, attribute) : undefined;
  // Not by spreading: that takes as long as all the rest.
  return { name, namespace, tag: tag.tag, attributes, isInert, content, attribute, script };
}

function asScript(
  { namespace, content, attributes }: StartTag,
  attribute: ElementRead["attribute"],
): ScriptFact | undefined {
  // MathML has no scripts.
  if (content === undefined || namespace === "math") return undefined;
  const isHtml = namespace === "html";
  const source = isHtml ? attribute("src") : (attribute("href") ?? attribute("xlink:href"));
  return {
    element: content.element,
    content: content.content,
    text: content.text,
    type: scriptType(attribute("type")?.value, isHtml ? attribute("language")?.value : undefined),
    src: source?.value,
    attributes,
  };
}

/** The attributes of an element that a browser would run as a script. */
function scriptUrlsOf(element: ElementRead): readonly AttributeFact[] {
  const { name, namespace, attributes } = element;
  if (namespace !== "html") {
    const isAnimation = animatesAddress(element);
    return attributes.filter((attribute) =>
      isReference(attribute)
        ? isScriptUrl(attribute.value)
        : isAnimation && animatedAddresses(attribute).some(isScriptUrl),
    );
  }
  if (name === "meta") return attributes.filter((attribute) => refreshesToScript(element, attribute));
  const address = Object.hasOwn(navigating, name) ? element.attribute(navigating[name] ?? "") : undefined;
  return address !== undefined && isScriptUrl(address.value) ? [address] : [];
}

/** Browsers refuse this today; whoever else reads the page may not. */
function refreshesToScript(element: ElementRead, { name, value }: AttributeFact): boolean {
  if (name !== "content") return false;
  if (element.attribute("http-equiv")?.value.toLowerCase() !== "refresh") return false;
  const address =
    /^[\t\n\f\r ]*[\d.]*[\t\n\f\r ]*[;,]?[\t\n\f\r ]*(?:url[\t\n\f\r ]*=[\t\n\f\r ]*)?["']?/i.exec(value);
  return isScriptUrl(value.slice(address?.[0].length ?? 0));
}
