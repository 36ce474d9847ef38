import type { BoundSecret, BoundUse } from "../bound-secret.ts";
import { redirected } from "./redirected.ts";

/** As many as `fetch` follows. */
const maxRedirects = 20;

/**
 * Sends secrets along where there is no egress to do it: on Cloudflare, where their values are bindings. The value is in the worker then, and
 * its code can read it: this is what the wrapper adds to be able to run there, and no protection from the function. From services it is one: where
 * they redirect to is asked about anew, and gets what is declared for it.
 */
export function bindSecrets(
  secrets: readonly BoundSecret[],
): (environment: Readonly<Record<string, unknown>>) => void {
  let values: Readonly<Record<string, unknown>> = {};
  const real = globalThis.fetch;

  async function ask(request: Request, redirects: number): Promise<Response> {
    const secret = secrets.find(({ name, uses }) => name in values && uses.some((use) => fits(use, request)));
    if (secret === undefined) return real(request);
    const send = (one: Request): Promise<Response> =>
      real(new Request(withSecret(one, secret, String(values[secret.name])), { redirect: "manual" }));
    if (request.redirect === "manual") return send(request);
    // A redirect may want the body once more.
    const again = request.body === null ? request : request.clone();
    const answer = await send(request);
    const next = redirected(again, answer, secret.inject.kind === "query" ? secret.inject.name : undefined);
    if (next === undefined) {
      if (again !== request) void again.body?.cancel().catch(() => undefined);
      return answer;
    }
    if (request.redirect === "error" || redirects === maxRedirects)
      throw new TypeError("fetch failed: it is redirected");
    await answer.body?.cancel();
    return ask(next, redirects + 1);
  }

  globalThis.fetch = async (input, init) => ask(new Request(input, init), 0);
  return (environment) => {
    values = environment;
  };
}

function fits({ method, origin, path }: BoundUse, request: Request): boolean {
  const url = new URL(request.url);
  if (request.method !== method || url.origin !== origin) return false;
  const segments = url.pathname.split("/").slice(1);
  const isOpen = path.at(-1) === "**";
  const fixed = isOpen ? path.slice(0, -1) : path;
  if (isOpen ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((segment, index) => segment === "*" || segment === segments[index]);
}

function withSecret(request: Request, { inject }: BoundSecret, value: string): Request {
  if (inject.kind === "query") {
    const url = new URL(request.url);
    url.searchParams.set(inject.name, value);
    return new Request(url, request);
  }
  const headers = new Headers(request.headers);
  if (inject.kind === "bearer") headers.set("authorization", `Bearer ${value}`);
  else if (inject.kind === "basic") headers.set("authorization", `Basic ${btoa(value)}`);
  else headers.set(inject.name, inject.prefix + value);
  return new Request(request, { headers });
}
