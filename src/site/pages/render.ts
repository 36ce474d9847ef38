import { h, options } from "preact";
import type { ComponentType, VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import { withAssets } from "../template/asset.ts";
import { guardNode } from "../checks/guard.ts";
import type { GuardContext } from "../checks/guard.ts";
import { withPictures } from "../images/image.ts";

/** What {@link renderPage} needs to know of the site. */
export interface RenderContext extends GuardContext {
  /** The address of a hashed asset, by its name. */
  readonly assetAddress: (name: string) => string;
}

/** Preact's hook that sees every node, made in whatever way, right before it is rendered. */
// oxlint-disable no-underscore-dangle -- the name that preact-render-to-string calls it by; a test holds it
const nodeHook = options as { __b?: (node: VNode) => void };

/**
 * Renders one page. Every node passes {@link guardNode}.
 *
 * @throws {CurtainwallError} `SITE_TEMPLATE_UNSAFE`, or whatever the template throws.
 */
export function renderPage<Props extends object>(
  component: ComponentType<Props>,
  props: Props,
  context: RenderContext,
): string {
  const before = nodeHook.__b;
  nodeHook.__b = (node) => {
    guardNode(node, context);
    before?.(node);
  };
  try {
    return `<!doctype html>${withAssets(context.assetAddress, () => withPictures(context.pictures, () => renderToString(h(component, props as never))))}\n`;
  } finally {
    if (before === undefined) delete nodeHook.__b;
    else nodeHook.__b = before;
  }
}
