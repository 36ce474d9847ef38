import type { IncomingMessage, ServerResponse } from "node:http";

import type { Accounts } from "./accounts.ts";
import { createAttemptLimit } from "./attempts.ts";
import { errors } from "./oidc-provider.ts";
import type { Provider } from "./oidc-provider.ts";
import { errorPage, pagePolicy, signInPage } from "./pages.ts";
import type { SignInPageOptions } from "./pages.ts";

/** Options of {@link createSignIn}. */
export interface SignInOptions {
  provider: Provider;
  accounts: Accounts;
  /** Failed attempts that one account, seen from one address, is allowed in a quarter of an hour. Default 10. */
  maxFailuresPerAccount?: number;
  /** The same, for one address and whatever accounts. Default 50. */
  maxFailuresPerAddress?: number;
}

/** Answers a request to `/sign-in/…`. */
export type SignIn = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const maxBodyBytes = 4096;
const windowMs = 15 * 60_000;
const wrong = "That name and password do not belong together. Try again.";
const tooMany = "Too many attempts. Wait a while, then try again.";

/** Makes the sign-in form: shows it, checks what comes back, and lets the authorization go on. */
export function createSignIn({
  provider,
  accounts,
  maxFailuresPerAccount = 10,
  maxFailuresPerAddress = 50,
}: SignInOptions): SignIn {
  const perAccount = createAttemptLimit({ maxFailures: maxFailuresPerAccount, windowMs });
  const perAddress = createAttemptLimit({ maxFailures: maxFailuresPerAddress, windowMs });

  const show = async (
    exchange: Exchange,
    status: number,
    extra: Partial<SignInPageOptions>,
  ): Promise<void> => {
    const client = await provider.Client.find(exchange.clientId);
    const page = signInPage({ client: client?.clientName ?? "where you came from", ...extra });
    send(exchange.response, status, page, exchange.returnOrigin);
  };

  const attempt = async (exchange: Exchange, form: URLSearchParams): Promise<void> => {
    const { request, response } = exchange;
    const username = (form.get("username") ?? "").slice(0, 64);
    const address = request.socket.remoteAddress ?? "";
    const pair = `${address} ${username.trim().toLowerCase()}`;
    const waitMs = Math.max(perAccount.waitMs(pair), perAddress.waitMs(address));
    if (waitMs > 0) {
      response.setHeader("retry-after", Math.ceil(waitMs / 1000));
      return show(exchange, 429, { username, problem: tooMany });
    }
    // Before the password is tried, which takes its time: whoever guesses would otherwise try as many at once as they like.
    perAccount.count(pair);
    perAddress.count(address);
    const person = await accounts.verify(username, (form.get("password") ?? "").slice(0, 256));
    if (person === undefined) return show(exchange, 403, { username, problem: wrong });
    perAccount.forget(pair);
    perAddress.giveBack(address);
    const login = { accountId: person.id, amr: ["pwd"], remember: false };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  };

  const cancel = ({ request, response }: Exchange): Promise<void> =>
    provider.interactionFinished(
      request,
      response,
      { error: "access_denied", error_description: "The person did not want to sign in." },
      { mergeWithLastSubmission: false },
    );

  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD" && request.method !== "POST") {
      response.setHeader("allow", "GET, HEAD, POST");
      return refuse(response, 405, "method_not_allowed", "A sign-in is shown and sent, nothing else.");
    }
    const exchange = await begin(provider, request, response);
    if (exchange === undefined)
      return refuse(
        response,
        400,
        "session_not_found",
        "This sign-in has ended, or began in another browser.",
      );
    if (request.method !== "POST") return show(exchange, 200, {});
    if (!isOwnForm(request, provider.issuer))
      return refuse(response, 403, "foreign_form", "The form that was sent is not this one.");
    const form = await readForm(request);
    if (form === undefined)
      return refuse(response, 400, "invalid_request", "That is not what the form sends.");
    return form.has("cancel") ? cancel(exchange) : attempt(exchange, form);
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clientId: string;
  /** Where the person goes from here. */
  readonly returnOrigin: string | undefined;
}

/** Finds the sign-in that the browser's cookie and the address both name. */
async function begin(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Exchange | undefined> {
  try {
    const { uid, params } = await provider.interactionDetails(request, response);
    if (request.url !== `/sign-in/${uid}`) return undefined;
    const returnUrl = typeof params["redirect_uri"] === "string" ? URL.parse(params["redirect_uri"]) : null;
    return { request, response, clientId: String(params["client_id"]), returnOrigin: returnUrl?.origin };
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined;
    throw error;
  }
}

/** Browsers say where a form comes from; what sends no such header is no browser and has nobody's cookies. */
function isOwnForm({ headers }: IncomingMessage, issuer: string): boolean {
  const site = headers["sec-fetch-site"];
  const { origin } = headers;
  return (
    (site === undefined || site === "same-origin") &&
    (origin === undefined || origin === new URL(issuer).origin)
  );
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  if (type !== "application/x-www-form-urlencoded" || bytes > maxBodyBytes) return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

function refuse(response: ServerResponse, status: number, code: string, description: string): void {
  send(response, status, errorPage({ code, description }));
}

function send(response: ServerResponse, status: number, page: string, returnOrigin?: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(page),
    "content-security-policy": pagePolicy(returnOrigin),
  });
  response.end(page);
}
