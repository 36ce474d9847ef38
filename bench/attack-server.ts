// A server that keeps the promises of bench/attack-worker.ts's contract, in a process of its own: what it costs is not the attack's.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { securityHeaders } from "../src/contract/index.ts";
import { testCertificate } from "../src/audit/fixtures/certificate.ts";

const { ca, cert, key } = await testCertificate();
const common = Object.fromEntries(securityHeaders("default-src 'none'"));
let requests = 0;

const server = createServer({ cert, key, minVersion: "TLSv1.3" }, (request, response) => {
  requests++;
  request.resume();
  const { method = "", url = "" } = request;
  const isDeclared = /^\/api\/things\/\d{1,4}$/.test(url);
  const status = isDeclared
    ? method === "GET"
      ? 200
      : 405
    : url.startsWith("/api/things/") && url.includes("?")
      ? 400
      : 404;
  const isFine = status === 200;
  response
    .writeHead(status, {
      ...common,
      vary: "origin",
      "content-type": isFine ? "application/json" : "application/problem+json",
    })
    .end(isFine ? '{"name":"thing"}' : JSON.stringify({ status, title: "refused", id: "0123456789abcdef" }));
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port, ca }));
process.on("message", () => process.send?.({ requests }));
process.on("disconnect", () => process.exit());
