import { asset, HeadLinks, JsonIsland, type Here } from "curtainwall/template";
import type { ComponentChildren } from "preact";
import { closures, hours } from "../hours.ts";
import { readAddresses } from "../settings.ts";

/** Attributes of {@link Shell}. */
export interface ShellProps {
  title: string;
  description: string;
  /** The page, to mark it in the menu and name its neighbours. */
  here: Here;
  /** Names the look of the page. */
  kind?: string;
  children: ComponentChildren;
}

const menu = [
  ["/breads/", "Breads"],
  ["/visit/", "Visit"],
  ["/about/", "About us"],
  ["/news/", "From the bench"],
  ["/contact/", "Contact"],
] as const;

/** Where customers sign in: another origin, the bakery's OpenID provider. */
const signInUrl = `${readAddresses().loginUrl}/begin`;

/** What every page has around it. */
export function Shell({ title, description, here, kind = "plain", children }: ShellProps) {
  const { path } = here;
  const fullTitle = path === "/" ? title : `${title} · Pell & Daughter`;
  return (
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{fullTitle}</title>
        <meta name="description" content={description} />
        <meta name="theme-color" content="#f6efe2" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#1b1512" media="(prefers-color-scheme: dark)" />
        <HeadLinks here={here} />
        <link rel="icon" href={asset("pictures/mark.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={asset("site.css")} />
        <script src={asset("site.js")} defer />
      </head>
      <body class={`page page-${kind}`}>
        <a class="skip" href="#main">
          Skip to the text
        </a>
        <header class="top">
          <a class="brand" href="/">
            <img src={asset("pictures/mark.svg")} width="44" height="44" alt="" />
            <span class="brand-name">
              Pell <i>&amp;</i> Daughter
            </span>
            <span class="brand-place">Bakers in Ottersby</span>
          </a>
          <nav class="menu" aria-label="Pages">
            {menu.map(([href, label]) => (
              <a key={href} href={href} aria-current={isHere(path, href) ? "page" : undefined}>
                {label}
              </a>
            ))}
            <a class="sign-in" href={signInUrl}>
              Sign in
            </a>
          </nav>
        </header>
        <main id="main">{children}</main>
        <footer class="bottom">
          <div class="bottom-inner">
            <div>
              <h2>The shop</h2>
              <p>
                4 Weir Lane
                <br />
                Ottersby-on-Wend
              </p>
              <p class="open-now" data-open-now hidden />
              <p>
                <a href="/visit/">Opening hours and how to find us</a>
              </p>
            </div>
            <div>
              <h2>Good to know</h2>
              <ul>
                <li>
                  <a href="/allergens/">Allergens</a>
                </li>
                <li>
                  <a href="/wholesale/">Bread for cafés and kitchens</a>
                </li>
                <li>
                  <a href="/contact/">Contact</a>
                </li>
                <li>
                  <a href="/privacy/">Privacy</a>
                </li>
              </ul>
            </div>
            <p class="bottom-note">
              Baked on this corner since 1934. The oven is older than the bridge, and works better.
            </p>
          </div>
        </footer>
        <JsonIsland id="shop-hours" data={{ timeZone: "Europe/London", hours, closures }} />
      </body>
    </html>
  );
}

function isHere(path: string, href: string): boolean {
  return path === href || path.startsWith(href);
}
