import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { brokenBody } from "../../requests/input-values.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange, ProbeRequest, Protocol } from "../../probes/probe.ts";
import { isPathOf } from "./declared-paths.ts";
import { honestCall, isSuccess, see, takeTurns, withoutRoutes } from "../shared.ts";
import { expectServed, unservedBy } from "../unserved.ts";

/** One route of each path: what a path answers to is the same for all of its routes. */
const onePerPath = ({ contract }: AuditContext): ContractRoute[] => [
  ...new Map(contract.routes.map((route) => [route.path, route])).values(),
];

/** Methods that no contract has. Of those in small letters, a server that compares without case takes them for others. */
const strange = ["PROPFIND", "TRACK", "CURTAINWALL", "get", "post", "delete"];

/** What is declared in capitals is there in capitals alone, and no other method is. */
export const strangeMethods: Check = {
  name: "a method that nobody knows reaches nothing",
  kind: "live",
  attack: { kind: "verbs", promise: "routes", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of onePerPath(context)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const { path } = await context.caller.request({ route, ...honest });
      for (const protocol of context.protocols)
        for (const method of strange)
          await reachNothing(context, tally, route, honest, { method, path, protocol });
      await noHead(context, tally, route, honest, path);
    }
    await noTunnel(context, tally);
  },
};

async function reachNothing(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  { as }: HonestCall,
  { method, path, protocol }: { method: string; path: string; protocol: Protocol },
): Promise<void> {
  const mark = context.mark();
  const request: ProbeRequest = { method, path, protocol, headers: [["x-mark", mark]] };
  const exchange =
    isSmall(method) && protocol === "http/1.1"
      ? await sendBytes(context, request)
      : await context.caller.send(request, {
          name: `${route.key} by strange methods`,
          burst: 10,
          isPerUser: false,
        });
  const { response } = exchange;
  const isHeld = !isSuccess(response.status) && (response.status < 500 || response.status === 501);
  tally.expect(
    isHeld && !response.text().includes(mark),
    see(
      context,
      `${route.key}${as === undefined ? "" : ", without a token"}: ${method} (${protocol}) reaches nothing`,
      exchange,
    ),
  );
}

const isSmall = (method: string): boolean => method === method.toLowerCase();

/** HTTP clients write methods in capitals, whatever they are given. */
async function sendBytes(context: AuditContext, request: ProbeRequest): Promise<Exchange> {
  const { method, path, headers = [] } = request;
  const lines = [["host", context.target.host], ...headers, ["connection", "close"]].map((pair) =>
    pair.join(": "),
  );
  const response = await context.wire.sendRaw(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  return { request, response };
}

/** HEAD is GET without its body: where no GET is declared, there is none. Where one is, it asks for the same token. */
async function noHead(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  honest: HonestCall,
  path: string,
): Promise<void> {
  const [bare = path] = path.split("?");
  const get = context.declaredRoutes.find((other) => other.method === "GET" && isPathOf(other, bare));
  if (get !== undefined && (get.access.kind === "everyone" || get.stream !== undefined)) return;
  const exchange = await context.caller.call({ route, input: honest.input, method: "HEAD", rawQuery: "" });
  tally.expect(
    !isSuccess(exchange.response.status) && exchange.response.body.length === 0,
    see(
      context,
      `${route.key}: HEAD ${get === undefined ? "is not declared" : "asks for a token too"}`,
      exchange,
    ),
  );
}

/** A tunnel to elsewhere is nothing that a site offers. Whoever hangs up has refused. */
async function noTunnel(context: AuditContext, tally: Tally): Promise<void> {
  const { host } = context.target;
  const response = await context.wire
    .sendRaw(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
    .catch(() => undefined);
  const request = { method: "CONNECT", path: `/${host}` };
  if (response === undefined)
    tally.pass({ kind: "measurement", about: "CONNECT: the target", value: "hangs up" });
  else
    tally.expect(!isSuccess(response.status), see(context, "CONNECT opens no tunnel", { request, response }));
}

const overriding = ["x-http-method-override", "x-http-method", "x-method-override"] as const;

/** A request is what its first line says, whatever its headers, its query or its form say. */
export const noOverride: Check = {
  name: "no header, query or field makes one method another",
  kind: "live",
  attack: { kind: "verbs", promise: "routes", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      if (route.stream?.kind === "events") continue;
      const next = takeTurns(context, route, tally);
      if (next === undefined) continue;
      if (route.method === "GET") await overrideRead(context, tally, route, next);
      else await overrideWrite(context, tally, route, next);
    }
  },
};

/** A GET that calls itself a DELETE or a POST stays a GET. */
async function overrideRead(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  next: () => HonestCall,
): Promise<void> {
  const honest = next();
  const control = await context.caller.call({ route, ...honest });
  if (!isSuccess(control.response.status)) return tally.miss(unservedBy(context, route, control));
  for (const said of ["DELETE", "POST"]) {
    const exchange = await context.caller.call({
      route,
      ...honest,
      headers: overriding.map((name) => [name, said]),
    });
    judge(context, tally, `${route.key}: a GET with headers that say ${said}`, exchange, control);
    const asked = await context.caller.call({ route, ...honest, ...inQuery(honest, said) });
    // Refused as a key that nobody declared, or left out: both are no DELETE.
    tally.expect(
      asked.response.status === control.response.status || asked.response.status === 400,
      see(context, `${route.key}: a GET with _method=${said} in its query`, asked),
    );
  }
  const after = await context.caller.call({ route, ...honest });
  expectServed(context, tally, { route, about: "it is still there", exchange: after });
}

const inQuery = ({ input }: HonestCall, said: string): { rawQuery: string } => {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {}))
    for (const text of typeof value === "string" ? [value] : value) pairs.append(name, text);
  pairs.append("_method", said);
  return { rawQuery: pairs.toString() };
};

/** What writes is not reached by a GET that calls itself so; and what it says of another method changes nothing. */
async function overrideWrite(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  next: () => HonestCall,
): Promise<void> {
  const honest = next();
  const headers = overriding.map((name): [string, string] => [name, route.method]);
  const { path } = await context.caller.request({ route, ...honest });
  const [bare = path] = path.split("?");
  const others = context.declaredRoutes.filter((other) => isPathOf(other, bare)).map(({ method }) => method);
  for (const method of ["GET", "POST"] as const) {
    if (method === route.method) continue;
    const isDeclared = others.includes(method);
    if (isDeclared && method !== "GET") continue;
    const plain = await context.caller.call({ route, ...honest, method });
    const exchange = await context.caller.call({ route, ...honest, method, headers });
    judge(context, tally, `${route.key}: a ${method} with headers that say ${route.method}`, exchange, plain);
    if (isDeclared) continue;
    const asked = await context.caller.call({ route, ...honest, method, ...inQuery(honest, route.method) });
    tally.expect(
      !isSuccess(asked.response.status),
      see(context, `${route.key}: a ${method} with _method=${route.method} in its query`, asked),
    );
  }
  if (route.body === undefined) return;
  // A body that nobody can read: it is refused as what it is, unless it was taken for a method that reads none.
  const broken = { route, ...honest, rawBody: brokenBody(route) };
  const plain = await context.caller.call(broken);
  for (const said of ["GET", "DELETE"].filter((name) => name !== route.method)) {
    const exchange = await context.caller.call({
      ...broken,
      headers: overriding.map((name) => [name, said]),
    });
    judge(context, tally, `${route.key}: with headers that say ${said}`, exchange, plain);
  }
}

function judge(
  context: AuditContext,
  tally: Tally,
  about: string,
  exchange: Exchange,
  plain: Exchange,
): void {
  tally.expect(
    exchange.response.status === plain.response.status,
    see(context, `${about} is answered as without them (${plain.response.status})`, exchange),
  );
}
