import { attributeKey } from "./urls.ts";

/** Elements that no page of ours has, each with the reason. One list for the sources, the rendering and the finished page. */
const elements: ReadonlyMap<string, string> = new Map([
  ["base", "<base> moves every relative address of the page."],
  ["iframe", "<iframe> puts another page inside this one."],
  ["frame", "<frame> puts another page inside this one."],
  ["frameset", "<frameset> puts other pages inside this one."],
  ["object", "<object> runs what a plug-in makes of a file."],
  ["embed", "<embed> runs what a plug-in makes of a file."],
  ["applet", "<applet> runs what a plug-in makes of a file."],
  ["portal", "<portal> puts another page inside this one."],
  ["fencedframe", "<fencedframe> puts another page inside this one."],
  [
    "noscript",
    "<noscript> is read differently with and without scripts, which attackers use. Show what should be there without a script, and let the script replace it.",
  ],
  ["noembed", "<noembed> is read differently by different readers, which attackers use."],
  ["noframes", "<noframes> is read differently by different readers, which attackers use."],
  ["xmp", "<xmp> is read differently by different readers, which attackers use."],
  ["plaintext", "<plaintext> swallows the rest of the page."],
]);

/** Why an element is refused, if it is. */
export function refusedElement(name: string): string | undefined {
  const key = name.toLowerCase();
  if (key.includes(":")) return `<${name}>: elements with a namespace prefix are not accepted.`;
  return elements.get(key);
}

/** Elements whose animation could change an attribute after it was checked. */
const animations = new Set(["animate", "animatecolor", "animatemotion", "animatetransform", "set"]);

/** Why an attribute is refused, whatever its value, if it is. */
export function refusedAttribute(element: string, name: string): string | undefined {
  const key = attributeKey(name);
  if (key.startsWith("on") && key.length > 2)
    return `${name}: code in attributes is not accepted. Use addEventListener in a script.`;
  if (key === "style") return "style: use a class; the policy of the pages blocks styles in attributes.";
  if (key === "srcdoc") return "srcdoc puts another page inside this one.";
  if (key === "nonce")
    return "nonce: a page that is the same for everybody can't have a secret. Inline code is allowed by its hash.";
  if (key === "ping") return "ping reports clicks to other addresses.";
  if (key === "innerhtml" || key === "outerhtml" || key === "dangerouslysetinnerhtml")
    return `${name}: text becomes markup only through the sanitiser. Use <Content of={entry} />.`;
  if (key === "httpequiv") return "http-equiv: headers come from the contract.";
  if (key === "shadowrootmode") return "shadowrootmode: markup in shadow roots can't be checked.";
  if (key === "attributename" && animations.has(element.toLowerCase()))
    return `<${element} ${name}> changes attributes after they were checked.`;
  return undefined;
}

/** What may stand in the `type` of a script. */
export type ScriptType = "script" | "data";

/** Reads the `type` of a script; undefined for one that is not accepted. */
export function scriptType(type: unknown): ScriptType | undefined {
  if (type === undefined || type === null || type === "module") return "script";
  if (type === "application/json" || type === "application/ld+json") return "data";
  return undefined;
}
