import { createCookieJar } from "../answers/cookies.ts";
import type { CookieJar } from "../answers/cookies.ts";
import { chooseForm, fillForm, findForms } from "../answers/login-form.ts";
import type { BoundFetch } from "./fetch.ts";
import { createLoginFetch, refused } from "./login-fetch.ts";
import type { AuthorizationCodeOptions } from "./token.ts";

const maxSteps = 20;
const maxPageLength = 500_000;

interface Step {
  url: URL;
  form?: { body: URLSearchParams; origin: string };
}

/** Follows the provider's pages until it sends us back to the redirect URI. Each page is asked for as {@link createLoginFetch} does. */
export async function followLogin(start: URL, options: AuthorizationCodeOptions): Promise<URL> {
  const fetch = createLoginFetch(options);
  const jar = createCookieJar();
  let step: Step = { url: start };
  let passwordsSent = 0;
  for (let count = 0; count < maxSteps; count++) {
    const response = await take(fetch, jar, step);
    const location = response.headers.get("location");
    if (location !== null && response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const url = new URL(location, step.url);
      if (isBack(url, options.redirectUri)) return url;
      step = { url };
      continue;
    }
    const form = chooseForm(findForms((await response.text()).slice(0, maxPageLength)));
    if (form === undefined) {
      throw refused(
        `${step.url.origin}${step.url.pathname} answered ${response.status} without a form to go on with`,
        undefined,
        "A login that needs JavaScript, a passkey or a second factor can't be followed: give the audit client a login that doesn't, or write a token source of your own.",
      );
    }
    if (form.asksForPassword && ++passwordsSent > 1)
      throw refused(
        `the login at ${step.url.origin} asked for the password of ${options.username} again: was it wrong?`,
      );
    step = submit(step.url, form, options);
  }
  throw refused(`the login at ${start.origin} did not end within ${maxSteps} pages`);
}

function submit(
  page: URL,
  form: NonNullable<ReturnType<typeof chooseForm>>,
  options: AuthorizationCodeOptions,
): Step {
  const url = new URL(form.action, page);
  if (url.origin !== page.origin)
    throw refused(`a form of ${page.origin} wants to send what is typed to ${url.origin}`);
  const body = fillForm(form, options);
  if (form.method === "POST") return { url, form: { body, origin: page.origin } };
  url.search = body.toString();
  if (form.asksForPassword)
    throw refused(`the login form at ${page.origin} would put the password into an address`);
  return { url };
}

async function take(fetch: BoundFetch, jar: CookieJar, { url, form }: Step): Promise<Response> {
  const cookie = jar.header(url);
  const response = await fetch(url.href, {
    method: form === undefined ? "GET" : "POST",
    headers: {
      accept: "text/html",
      ...(cookie === undefined ? {} : { cookie }),
      ...(form === undefined
        ? {}
        : { "content-type": "application/x-www-form-urlencoded", origin: form.origin }),
    },
    ...(form === undefined ? {} : { body: form.body.toString() }),
  });
  jar.store(url, response.headers.getSetCookie());
  return response;
}

function isBack(url: URL, redirectUri: string): boolean {
  const expected = new URL(redirectUri);
  return url.origin === expected.origin && url.pathname === expected.pathname;
}
