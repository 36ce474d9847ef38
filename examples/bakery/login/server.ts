import { createServer } from "node:https";
import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { baseSecurityHeaders } from "curtainwall";
import type { Provider } from "./oidc-provider.ts";
import { beginAddress } from "./begin.ts";
import { errorPage, pagePolicy, rootPage } from "./pages.ts";
import type { SignIn } from "./sign-in.ts";

/** Options of {@link createLogin}. */
export interface LoginOptions {
  provider: Provider;
  signIn: SignIn;
  /** Where the bakery's site is, which people come from and go back to. */
  siteOrigin: string;
  certificate: { cert: string; key: string };
  /** Told about errors that are the login's own. */
  onError: (error: unknown) => void;
}

/** Serves the provider and its sign-in form over HTTPS (TLS 1.3). */
export function createLogin({ provider, signIn, siteOrigin, certificate, onError }: LoginOptions): Server {
  const callback = provider.callback();
  const { host } = new URL(provider.issuer);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of baseSecurityHeaders) response.setHeader(name, value);
    response.setHeader("content-security-policy", pagePolicy());
    response.setHeader("cache-control", "no-store");
    // The provider makes addresses from this header: another host's name in it would lead people there.
    if (request.headers.host !== host) return refuse(response, 421, "misdirected_request");
    if (request.url === "/" || request.url === "/begin") return welcome(request, response, siteOrigin);
    if (request.url?.startsWith("/sign-in/") === true) return signIn(request, response);
    return callback(request, response);
  };

  const server = createServer(
    {
      ...certificate,
      minVersion: "TLSv1.3",
      maxHeaderSize: 16_384,
      headersTimeout: 5000,
      requestTimeout: 10_000,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        onError(error);
        if (response.headersSent) response.destroy();
        else refuse(response, 500, "server_error");
      });
    },
  );
  server.maxConnections = 256;
  return server;
}

/** The login's own front door: a page for whoever types the address, and the way in for whoever comes from the site. */
function welcome(request: IncomingMessage, response: ServerResponse, siteOrigin: string): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return refuse(response, 405, "method_not_allowed");
  }
  if (request.url === "/begin") {
    response.writeHead(303, { location: beginAddress(siteOrigin) });
    return void response.end();
  }
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(rootPage({ siteOrigin }));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end(errorPage({ code }));
}
