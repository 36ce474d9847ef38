// What runs inside of pages, as text: the pages have other globals than this program.

/** The function that the watching script calls. */
export const bindingName = "curtainwallSaw";

/**
 * Runs before a document's own scripts. Frames without an address of their own have the policy of the page around them, and a
 * single-page application keeps the one that it was loaded with.
 *
 * @param token that no other script of the page knows: what comes without it is not from here
 */
export const watchScript = (token: string): string => `(() => {
  let view = window;
  try {
    while (view.location.protocol === "about:" && view.parent !== view) view = view.parent;
  } catch {}
  const loaded = view.location.pathname;
  const tell = window.${bindingName};
  addEventListener("securitypolicyviolation", (event) => {
    if (!event.isTrusted) return;
    const { effectiveDirective: directive, blockedURI: blocked, sample } = event;
    const node = event.composedPath()[0];
    const inline = directive.startsWith("style-src") && blocked === "inline" && node instanceof Element;
    const style = !inline ? null : directive === "style-src-attr" ? node.getAttribute("style") : node.textContent;
    tell({ token: ${JSON.stringify(token)}, loaded, directive, blocked, sample, style });
  }, true);
})()`;

/** What a visitor does who changes nothing: looks at all of the page, opens what can be opened, types a letter, sends nothing. */
export const actScript = `(async () => {
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const some = (selector, most) => [...document.querySelectorAll(selector)].slice(0, most);
  const end = document.documentElement.scrollHeight;
  for (let step = 1; step <= 20 && step * innerHeight < end + innerHeight; step++) {
    scrollTo(0, step * innerHeight);
    await pause(10);
  }
  scrollTo(0, 0);
  for (const part of some("details:not([open])", 20)) part.open = true;
  for (const field of some("input[type=search], input[name=q], input[role=combobox]", 2)) {
    field.focus();
    const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
    set.call(field, "a");
    field.dispatchEvent(new InputEvent("input", { bubbles: true, data: "a", inputType: "insertText" }));
    field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true, key: "a" }));
  }
  for (const button of some("button", 40).filter((one) => one.form === null && !one.disabled).slice(0, 8)) {
    button.click();
    await pause(20);
  }
})()`;

/** Forms that lead to an address of the site, each as the address without the visitor's word. */
export const formsScript = `[...document.forms].slice(0, 20).flatMap((form) => {
  const field = form.querySelector("input[name]:is([type=search], [type=text], :not([type]))");
  const { pathname, origin } = new URL(form.action, document.baseURI);
  return form.method === "get" && field !== null && origin === location.origin
    ? [{ path: pathname, name: field.name }]
    : [];
})`;

/** A word that stands on the page, for a search that finds something. */
export const wordScript = `(document.title.match(/[\\p{L}]{4,20}/gu) ?? ["index"])
  .reduce((longest, word) => (word.length > longest.length ? word : longest))`;

/** Follows the first link to a path that was not seen, as a router of the page or the browser takes it; says which. */
export const followScript = (seen: readonly string[]): string => `((seen) => {
  const link = [...document.links].find((one) =>
    one.origin === location.origin && !seen.includes(one.pathname) && one.target === "" && !one.hasAttribute("download"));
  link?.click();
  return link?.pathname;
})(${JSON.stringify(seen)})`;
