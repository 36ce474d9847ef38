import { Fragment, h } from "preact";
import type { JSX } from "preact";
import type { Here } from "./page-props.ts";

/** Attributes of {@link HeadLinks}. */
export interface HeadLinksProps {
  /** As the template was given it. */
  here: Here;
}

/**
 * Puts into `<head>` what the build knows of a page's neighbours: its canonical address, the pages of a list before and after it, the page
 * in other languages, and its feed.
 *
 * @see RFC 6596 (canonical), HTML §4.6.7 (prev, next, alternate)
 */
export function HeadLinks({ here }: HeadLinksProps): JSX.Element {
  const { canonical, previous, next, alternates, defaultAlternate, feed } = here;
  return h(Fragment, null, [
    link({ rel: "canonical", href: canonical }),
    link({ rel: "prev", href: previous }),
    link({ rel: "next", href: next }),
    ...alternates.map(({ locale, url }) => link({ rel: "alternate", hreflang: locale, href: url })),
    link({ rel: "alternate", hreflang: "x-default", href: defaultAlternate?.url }),
    link({ rel: "alternate", type: "application/atom+xml", href: feed }),
  ]);
}

function link(attributes: {
  rel: string;
  href: string | undefined;
  hreflang?: string;
  type?: string;
}): JSX.Element | null {
  return attributes.href === undefined ? null : h("link", attributes as JSX.IntrinsicElements["link"]);
}
