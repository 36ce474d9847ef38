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

const loaf = html`<svg class="loaf" viewBox="0 0 160 104" aria-hidden="true" focusable="false">
  <path class="steam" d="M58 30c-7-8 6-11 0-21M82 26c-7-8 6-11 0-21M106 30c-7-8 6-11 0-21" />
  <path class="crust" d="M14 76c-5-22 21-40 66-40s71 18 66 40c-2 11-12 16-24 16H38c-12 0-22-5-24-16z" />
  <path class="shade" d="M16 79c4 9 12 13 22 13h84c10 0 18-4 22-13-10 5-22 6-32 6H48c-10 0-22-1-32-6z" />
  <path class="score" d="M46 70c2-11 8-19 17-24M72 71c1-12 6-21 15-27M98 70c1-10 5-18 13-23" />
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
            ${loaf}
            <p class="name">${bakeryName}</p>
          </header>
          ${body}
        </main>
        <footer>A demonstration: no bread is sold here, and no real password belongs here.</footer>
      </body>
    </html> `.text;
}
