import { siteError } from "../errors.ts";

let addressOf: ((name: string) => string) | undefined;

/**
 * The address of a file of the assets folder, with a hash of its bytes in it, so that browsers may keep it for good. The build
 * adds `integrity` where such an address is used for a script or stylesheet.
 *
 * @param name relative to the assets folder: `site.css`, `pictures/rye.svg`
 * @throws {CurtainwallError} `SITE_ASSET_UNKNOWN`; `SITE_TEMPLATE_FAILED` outside of a component
 */
export function asset(name: string): string {
  if (addressOf === undefined) {
    throw siteError("SITE_TEMPLATE_FAILED", `asset("${name}") was called outside of a page's component.`, {
      hint: "Call it inside the component: addresses are known only while a page is rendered",
    });
  }
  return addressOf(name);
}

/** Runs `render` with {@link asset} answering from `find`. Rendering is synchronous, so two builds can't mix. */
export function withAssets<T>(find: (name: string) => string, render: () => T): T {
  const before = addressOf;
  addressOf = find;
  try {
    return render();
  } finally {
    addressOf = before;
  }
}
