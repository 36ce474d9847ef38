import { createHash } from "node:crypto";
import { bakeryName } from "../settings.ts";
import { html, Markup } from "./html.ts";
import { style } from "./style.ts";

/** The one style of all pages, as their policy names it. */
const styleHash = `'sha256-${createHash("sha256").update(style).digest("base64")}'`;

/**
 * The policy of the login's pages: no script at all, the one style by its hash, and forms that lead here or, where a
 * sign-in ends, back to the origin that asked for it. Chromium holds `form-action` against that redirect too.
 */
export function pagePolicy(returnOrigin?: string): string {
  return [
    "default-src 'none'",
    `style-src ${styleHash}`,
    "base-uri 'none'",
    `form-action 'self'${returnOrigin === undefined ? "" : ` ${returnOrigin}`}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/** Whole, because a space more would be another style to the policy. */
const styleElement = new Markup(`<style>${style}</style>`);

/** What a sign-in page shows. */
export interface SignInPageOptions {
  /** Who wants to know, like "the bakery’s website". */
  client: string;
  /** Shown above the form when an attempt has failed. */
  problem?: string;
  /** What was typed before. */
  username?: string;
}

/** The form that asks for a name and a password. */
export function signInPage({ client, problem, username = "" }: SignInPageOptions): string {
  const described = problem === undefined ? undefined : html` aria-describedby="problem" aria-invalid="true"`;
  return page(
    problem === undefined ? "Sign in" : "Error: sign in",
    html`<h1>Good to see you.</h1>
      <p class="lead">Sign in to carry on to ${client}.</p>
      ${problem === undefined ? undefined : html`<p class="problem" id="problem" role="alert">${problem}</p>`}
      <form method="post">
        <label for="username">Name</label>
        <input
          id="username"
          name="username"
          value="${username}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="64"
          required${described}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="256"
          required${described}
        />
        <button type="submit">Sign in</button>
      </form>
      <form method="post" class="quiet">
        <input type="hidden" name="cancel" value="yes" />
        <button type="submit">Not now, take me back</button>
      </form>`,
  );
}

/** What the page at the login's root shows. */
export interface RootPageOptions {
  /** Where the bakery's site is. */
  siteOrigin: string;
}

/** What a person sees who opens the login itself. */
export function rootPage({ siteOrigin }: RootPageOptions): string {
  return page(
    "Customers’ door",
    html`<h1>The customers’ door.</h1>
      <p class="lead">Whoever orders bread ahead signs in here. The shop itself needs no name.</p>
      <a class="button" href="/begin">Sign in</a>
      <p class="back"><a href="${siteOrigin}/">Back to the bakery</a></p>`,
  );
}

/** What an error page shows. */
export interface ErrorPageOptions {
  /** OAuth's name for it, like `invalid_client`. */
  code: string;
  description?: string | undefined;
}

/** What a person sees when a sign-in can't go on. */
export function errorPage({ code, description = "" }: ErrorPageOptions): string {
  return page(
    "That did not work",
    html`<h1>That did not work.</h1>
      <p class="lead">This sign-in can’t go on. Go back to where you came from, and begin again there.</p>
      <dl>
        <dt>What went wrong</dt>
        <dd><code>${code}</code></dd>
        <dd>${description}</dd>
      </dl>`,
  );
}

const mark = html`<svg class="mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
  <circle cx="32" cy="32" r="31" fill="#2f5d50" />
  <circle cx="32" cy="32" r="27.5" fill="none" stroke="#e3b564" stroke-width="1.5" />
  <path d="M12 39c0-12 9-20 20-20s20 8 20 20c0 4-3 6-7 6H19c-4 0-7-2-7-6z" fill="#d9974f" />
  <path
    d="M12 39c0-12 9-20 20-20s20 8 20 20"
    fill="none"
    stroke="#f3cf93"
    stroke-width="2"
    stroke-linecap="round"
  />
  <path d="M20 38c5-8 18-12 25-9-3 5-13 10-25 9z" fill="#fbe9c8" />
</svg>`;

function page(title: string, body: Markup): string {
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ${bakeryName}</title>
        ${styleElement}
      </head>
      <body>
        <main>
          <header>
            ${mark}
            <div>
              <p class="name">Pell <i>&amp;</i> Daughter</p>
              <p class="place">Bakers in Ottersby</p>
            </div>
          </header>
          ${body}
        </main>
        <footer>A demonstration: no bread is sold here, and no real password belongs here.</footer>
      </body>
    </html> `.text;
}
