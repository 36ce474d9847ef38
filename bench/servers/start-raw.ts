// What `curtainwall start` is compared with: Node with the same libraries, the same bytes read, the same certificate, the same port opened.
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { constants } from "node:crypto";

const [release = "", leaf = "", ...libraries] = process.argv.slice(2);
await Promise.all(libraries.map((name) => import(name)));
const bytes = readFileSync(release);
const pem = readFileSync(leaf, "utf8");
const server = createSecureServer(
  { allowHTTP1: true, cert: pem, key: pem, minVersion: "TLSv1.3", secureOptions: constants.SSL_OP_NO_TICKET },
  (_request, response) => response.end(bytes.subarray(0, 100)),
);
server.listen(0, "127.0.0.1", () => console.error("serving"));
process.on("SIGTERM", () => process.exit(0));
