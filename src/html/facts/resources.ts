import type { AttributeFact, ResourceFact, ResourceKind } from "./page-facts.ts";
import { isScriptUrl } from "./script-url.ts";
import { srcsetAddresses } from "./srcset.ts";
import type { ElementRead } from "./start-tag.ts";
import { spaceSeparated, trimAddress } from "../text/text.ts";

/** How the addresses in an attribute are written. */
type Syntax = "one" | "srcset" | "list";

/** What a browser does with an attribute of an HTML element. */
const plain: Record<string, Record<string, readonly [ResourceKind, Syntax]>> = {
  a: { href: ["link", "one"], ping: ["ping", "list"], attributionsrc: ["ping", "list"] },
  area: { href: ["link", "one"], ping: ["ping", "list"], attributionsrc: ["ping", "list"] },
  audio: { src: ["media", "one"] },
  button: { formaction: ["form", "one"] },
  embed: { src: ["object", "one"] },
  form: { action: ["form", "one"] },
  frame: { src: ["frame", "one"] },
  iframe: { src: ["frame", "one"] },
  img: { src: ["image", "one"], srcset: ["image", "srcset"], attributionsrc: ["ping", "list"] },
  object: { data: ["object", "one"] },
  portal: { src: ["frame", "one"] },
  script: { attributionsrc: ["ping", "list"] },
  source: { src: ["media", "one"], srcset: ["image", "srcset"] },
  track: { src: ["track", "one"] },
  video: { src: ["media", "one"], poster: ["image", "one"] },
  body: { background: ["image", "one"] },
  table: { background: ["image", "one"] },
  tbody: { background: ["image", "one"] },
  td: { background: ["image", "one"] },
  tfoot: { background: ["image", "one"] },
  th: { background: ["image", "one"] },
  thead: { background: ["image", "one"] },
  tr: { background: ["image", "one"] },
};

/** What `as` of a preload means; anything else makes a browser ignore it. */
const preloaded: Record<string, ResourceKind> = {
  audio: "media",
  audioworklet: "script",
  document: "frame",
  embed: "object",
  fetch: "fetch",
  font: "font",
  frame: "frame",
  iframe: "frame",
  image: "image",
  json: "fetch",
  manifest: "manifest",
  object: "object",
  paintworklet: "script",
  script: "script",
  sharedworker: "worker",
  style: "style",
  track: "track",
  video: "media",
  worker: "worker",
  xslt: "script",
};

/** What a token of `rel` fetches. Any other is a link. */
const related: Record<string, ResourceKind> = {
  "apple-touch-icon": "image",
  "apple-touch-icon-precomposed": "image",
  "apple-touch-startup-image": "image",
  "compression-dictionary": "fetch",
  dictionary: "fetch",
  "dns-prefetch": "connect-hint",
  icon: "image",
  manifest: "manifest",
  "mask-icon": "image",
  preconnect: "connect-hint",
  prefetch: "prefetch",
  prerender: "prefetch",
  stylesheet: "style",
};

/** SVG's elements that name something to fetch; the others point into this document or another one. */
const drawn: Record<string, ResourceKind> = { a: "link", feimage: "image", image: "image", script: "script" };

/** SVG's attributes that may hold `url(…)`. */
const painted = new Set([
  "clip-path",
  "cursor",
  "fill",
  "filter",
  "marker",
  "marker-end",
  "marker-mid",
  "marker-start",
  "mask",
  "stroke",
]);

const animations = new Set([
  "animate",
  "animatecolor",
  "animatemotion",
  "animatetransform",
  "discard",
  "set",
]);

/** Tells whether this element changes an address of another one over time. */
export function animatesAddress(element: ElementRead): boolean {
  if (element.namespace !== "svg" || !animations.has(element.name)) return false;
  const target = element.attribute("attributename")?.value.trim().toLowerCase();
  // Without a target it animates nothing, but what counts as naming one has differed between browsers.
  return target === undefined || target === "href" || target.endsWith(":href");
}

/** The addresses that an animation gives its target, one after another. */
export function animatedAddresses({ name, value }: AttributeFact): string[] {
  if (name === "values") return value.split(";");
  return name === "from" || name === "to" || name === "by" ? [value] : [];
}

/** Whether this SVG or MathML attribute is an `href`. */
export function isReference({ name }: AttributeFact): boolean {
  return name === "href" || name.endsWith(":href");
}

/** Every address in an element's attributes that a browser would fetch, frame or send to. */
export function resourcesOf(element: ElementRead): ResourceFact[] {
  const found: ResourceFact[] = [];
  const add = (kind: ResourceKind, attribute: AttributeFact, written: string): void => {
    const address = trimAddress(written);
    // An empty address fetches nothing; a form's is the page itself, which `submitsToItself` tells. A script is no resource.
    if (address === "" || isScriptUrl(address)) return;
    const [integrity, crossOrigin] = [element.attribute("integrity"), element.attribute("crossorigin")];
    found.push({ kind, address, attribute, integrity: integrity?.value, crossOrigin: crossOrigin?.value });
  };
  if (element.namespace !== "html") addForeign(element, add);
  else if (element.name === "link") addLink(element, add);
  else if (element.name === "script") addScript(element, "src", add);
  else if (element.name === "input") addInput(element, add);
  const rules = element.namespace === "html" ? plain[element.name] : undefined;
  if (rules === undefined) return found;
  for (const attribute of element.attributes) {
    const [kind, syntax] = Object.hasOwn(rules, attribute.name) ? (rules[attribute.name] ?? []) : [];
    if (kind === undefined || syntax === undefined) continue;
    for (const address of addressesIn(attribute.value, syntax)) add(kind, attribute, address);
  }
  return found;
}

type Add = (kind: ResourceKind, attribute: AttributeFact, address: string) => void;

function addressesIn(value: string, syntax: Syntax): string[] {
  if (syntax === "one") return [value];
  return syntax === "list" ? spaceSeparated(value) : srcsetAddresses(value);
}

function addLink(element: ElementRead, add: Add): void {
  const href = element.attribute("href");
  const srcset = element.attribute("imagesrcset");
  const as = element.attribute("as")?.value.toLowerCase();
  for (const kind of linkKinds(element.attribute("rel")?.value ?? "", as)) {
    if (href !== undefined) add(kind, href, href.value);
    if (srcset !== undefined && kind === "image")
      for (const address of srcsetAddresses(srcset.value)) add(kind, srcset, address);
  }
}

function linkKinds(rel: string, as: string | undefined): Set<ResourceKind> {
  const kinds = new Set<ResourceKind>();
  for (const token of spaceSeparated(rel.toLowerCase())) {
    if (token === "preload") kinds.add(lookUp(preloaded, as ?? "") ?? "fetch");
    else if (token === "modulepreload") kinds.add(lookUp(preloaded, as ?? "script") ?? "script");
    else kinds.add(lookUp(related, token) ?? "link");
  }
  return kinds;
}

function lookUp<Value>(table: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function addScript(element: ElementRead, name: string, add: Add): void {
  const source = element.attribute(name);
  const type = element.script?.type;
  if (source !== undefined && (type === "classic" || type === "module")) add("script", source, source.value);
}

function addInput(element: ElementRead, add: Add): void {
  const formAction = element.attribute("formaction");
  if (formAction !== undefined) add("form", formAction, formAction.value);
  const source = element.attribute("src");
  if (source !== undefined && element.attribute("type")?.value.toLowerCase() === "image")
    add("image", source, source.value);
}

function addForeign(element: ElementRead, add: Add): void {
  const isAnimation = animatesAddress(element);
  for (const attribute of element.attributes) {
    if (isReference(attribute)) addReference(element, attribute, add);
    else if (isAnimation)
      for (const address of animatedAddresses(attribute)) add("image", attribute, address);
    else if (painted.has(attribute.name))
      for (const address of urlsIn(attribute.value)) add("svg-use", attribute, address);
  }
}

function addReference(element: ElementRead, attribute: AttributeFact, add: Add): void {
  if (element.namespace === "math") return add("link", attribute, attribute.value);
  if (element.name !== "script")
    return add(lookUp(drawn, element.name) ?? "svg-use", attribute, attribute.value);
  return addScript(element, attribute.name, add);
}

/** The addresses in `url(…)`, as a presentation attribute writes them: without escapes, which a policy could not be made from anyway. */
function urlsIn(value: string): string[] {
  const found: string[] = [];
  const start = /url\(/gi;
  while (start.exec(value) !== null) {
    const close = value.indexOf(")", start.lastIndex);
    if (close === -1) break;
    found.push(
      value
        .slice(start.lastIndex, close)
        .trim()
        .replace(/^["']|["']$/g, ""),
    );
    start.lastIndex = close;
  }
  return found;
}
