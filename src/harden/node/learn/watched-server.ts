import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createNearest, notFoundPages } from "../../../contract/index.ts";
import type { HardenedFile, HardenedFolder } from "../harden-folder.ts";
import type { RunningSite } from "./running-site.ts";

/** A report that a browser sent about one file of the site. */
export interface FileReport {
  /** The file, like `/guide/index.html`. */
  readonly file: string;
  readonly directive: string;
  readonly blocked: string;
  readonly sample: string;
}

/** Serves a hardened site to a browser that only tells what it would have refused. */
export interface WatchedServer {
  readonly port: number;
  readonly origin: string;
  /** The file that an address path (as in a URL) leads to. */
  fileOf(pathname: string): string | undefined;
  close(): Promise<void>;
}

/** A running site, of which the folder holds the pages. */
export interface SiteBehind {
  readonly site: RunningSite;
  /** The address under which visitors know a page, by its file, decoded. */
  readonly addresses: ReadonlyMap<string, string>;
}

const reportPath = "/.curtainwall-reports/";
const maxReportBytes = 65_536;

/**
 * Serves a site on loopback, its pages and scripts with their policies in report-only mode. It is also the proxy of the browser: what is
 * meant for any other address arrives here and is refused, so that no visit leaves this machine.
 */
export async function serveWatched(
  hardened: HardenedFolder,
  blobs: string,
  onReport: (report: FileReport) => void,
  behind?: SiteBehind,
): Promise<WatchedServer> {
  const byPath = new Map(hardened.files.map((file, index) => [file.path, { file, index }]));
  for (const [file, path] of behind?.addresses ?? []) {
    const entry = byPath.get(file);
    if (entry !== undefined) byPath.set(path, entry);
  }
  const nearest = createNearest(notFoundPages(hardened.files, hardened.notFound));
  /** What is shown instead of a missing path. */
  const missing = (path: string | undefined) => byPath.get(nearest(path ?? "/")?.path ?? "");

  const server = createServer((request, response) => {
    const { url = "/", method } = request;
    if (!url.startsWith("/")) return void response.writeHead(502).end();
    // No script can send this header: what comes without it was written by the page.
    if (url.startsWith(reportPath) && request.headers["sec-fetch-dest"] !== "report")
      return void response.writeHead(403).end();
    if (url.startsWith(reportPath))
      return takeReport(request, response, Number(url.slice(reportPath.length)));
    if (method !== "GET" && method !== "HEAD") return void response.writeHead(405).end();
    const path = decoded(url);
    const found = path === undefined ? undefined : byPath.get(path);
    if (found === undefined && behind !== undefined) return void pass(url, behind.site, response);
    const entry = found ?? missing(path);
    if (entry === undefined)
      return void response.writeHead(404, { "content-type": "text/plain" }).end("404\n");
    const { file, index } = entry;
    response.writeHead(found === undefined ? 404 : 200, watchedHeaders(file, index));
    response.end(method === "HEAD" ? undefined : readFileSync(join(blobs, file.sha256)));
  });
  server.on("connect", (_, socket) => socket.destroy());

  function takeReport(request: IncomingMessage, response: ServerResponse, index: number): void {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxReportBytes) chunks.push(chunk);
    });
    request.on("end", () => {
      const file = hardened.files[index];
      const report =
        file === undefined ? undefined : readReport(Buffer.concat(chunks).toString(), `/${file.source}`);
      if (report !== undefined) onReport(report);
      response.writeHead(204).end();
    });
  }

  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    fileOf(pathname) {
      const path = decoded(pathname);
      const entry = (path === undefined ? undefined : byPath.get(path)) ?? missing(path);
      return entry === undefined ? undefined : `/${entry.file.source}`;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Hands on what the site itself answers. Without its cookies, and without its policy, which is for another origin. */
async function pass(url: string, site: RunningSite, response: ServerResponse): Promise<void> {
  try {
    const { status, contentType, location, bytes } = await site.get(url);
    const target = location === undefined ? undefined : URL.parse(location, site.origin);
    response.writeHead(status, {
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      ...(target?.origin === site.origin ? { location: target.pathname + target.search } : {}),
    });
    response.end(bytes);
  } catch {
    response.writeHead(502).end();
  }
}

function decoded(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? "");
  } catch {
    return undefined;
  }
}

/** Its own headers, with the policy as one that only reports. Without HTTPS, what asks for it is left out. */
function watchedHeaders(file: HardenedFile, index: number): string[] {
  return file.headers.flatMap(([name, value]) => {
    if (name === "strict-transport-security" || name === "cache-control") return [];
    if (name !== "content-security-policy" || !isWatched(file)) return [name, value];
    const policy = value.replace(/(^|; )(script-src|style-src) /g, "$1$2 'report-sample' ");
    return ["content-security-policy-report-only", `${policy}; report-uri ${reportPath}${index}`];
  });
}

/** Pages, and scripts, which may be workers. What else has a policy can't be changed by what is learned. */
const isWatched = (file: HardenedFile): boolean =>
  file.headers.some(([name, value]) => name === "content-type" && /html|javascript/.test(value));

function readReport(text: string, file: string): FileReport | undefined {
  try {
    const { "csp-report": report } = JSON.parse(text) as { "csp-report": Readonly<Record<string, unknown>> };
    const directive = report["effective-directive"] ?? report["violated-directive"];
    const blocked = report["blocked-uri"];
    const sample = report["script-sample"];
    if (typeof directive !== "string" || typeof blocked !== "string") return undefined;
    return { file, directive, blocked, sample: typeof sample === "string" ? sample : "" };
  } catch {
    return undefined;
  }
}
