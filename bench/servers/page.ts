import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { decodeRelease, encodeRelease, securityHeaders } from "../../src/contract/index.ts";
import type { Header, Release } from "../../src/contract/index.ts";
import { developmentCertificate } from "../../src/edge/index.ts";

/** What all static servers send: one page of 10 KB with the full set of headers. */

export const host = "localhost";
export const page = Buffer.from(
  `<!doctype html><html lang="en"><title>Bread</title><p>${"Rye, wheat and spelt, baked at four. "
    .repeat(300)
    .slice(0, 10_000)}</p></html>`,
);
export const pageHeaders: readonly Header[] = [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "public, max-age=0, must-revalidate"],
  ["vary", "accept-encoding"],
  ...securityHeaders(
    "default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  ),
];
/** With what a server that knows its file adds. */
export const fullHeaders: readonly Header[] = [
  ...pageHeaders,
  ["etag", '"lfbkzbJaECN_amAePlu8Eg"'],
  ["content-length", String(page.length)],
];

/** A release that holds the page alone. */
export async function makeRelease(): Promise<Release> {
  return decodeRelease(await encodeRelease([{ path: "/", headers: pageHeaders, bytes: { identity: page } }]));
}

/** The certificate that all servers of a run use. */
export function benchCertificate() {
  const folder = join(process.env["BENCH_FOLDER"] ?? ".", "certificate");
  mkdirSync(folder, { recursive: true });
  return developmentCertificate({ folder, hosts: [host, "127.0.0.1"] });
}

/** Tells the harness that the server answers. It ends in good order, so that `--cpu-prof` can write what it saw. */
export function ready(port: number): void {
  process.on("SIGTERM", () => process.exit());
  process.stdout.write(`ready ${port}\n`);
}
