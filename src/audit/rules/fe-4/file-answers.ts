import type { AuditContext } from "../../context.ts";
import type { Exchange } from "../../probes/probe.ts";
import { isHtml, noRelease, pagePath, pagesOf, withoutPages } from "../shared.ts";
import { get } from "./answer-class.ts";
import type { AnswerClass } from "./answer-class.ts";

/** What browsers say that they can read: their answers are not those that others get. */
export const asBrowsers = ["accept-encoding", "gzip, deflate, br, zstd"] as const;

/** How pages and files are answered. */
export const fileAnswers: readonly AnswerClass[] = [
  { name: "200, a page", isActive: false, statuses: [200], notApplicable: withoutPages, get: get(pagePath) },
  {
    name: "200, a page as browsers ask for it",
    isActive: false,
    statuses: [200],
    notApplicable: withoutPages,
    get: get(pagePath, { headers: [asBrowsers] }),
  },
  {
    name: "200, an asset of each kind",
    isActive: false,
    statuses: [200],
    notApplicable: (context) =>
      withoutRelease(context) ??
      (context.release === undefined || assetPaths(context).length > 0
        ? undefined
        : "the release has no asset"),
    leftOut: (context) => {
      const { length } = assetPaths(context);
      return length > maxTypes
        ? `${length - maxTypes} of ${length} kinds of assets were not looked at`
        : undefined;
    },
    get: async (context, protocol) => {
      if (context.release === undefined) return noRelease(context);
      const answered: Exchange[] = [];
      for (const path of assetPaths(context).slice(0, maxTypes))
        answered.push(await context.caller.send({ method: "GET", path: encodeURI(path), protocol }));
      return answered;
    },
  },
  part("206, a part of a file", "bytes=0-0", 206),
  part("416, no part of a file", "bytes=9999999999-", 416),
  {
    name: "304",
    isActive: false,
    statuses: [304],
    notApplicable: withoutPages,
    get: async (context, protocol) => {
      const first = await context.caller.send({ method: "GET", path: pagePath(context), protocol });
      const tag = first.response.header("etag");
      if (tag === undefined) return "the page has no ETag to ask with";
      return context.caller.send({
        method: "GET",
        path: pagePath(context),
        protocol,
        headers: [["if-none-match", tag]],
      });
    },
  },
  {
    name: "HEAD",
    isActive: false,
    statuses: [200],
    notApplicable: withoutPages,
    get: get(pagePath, { method: "HEAD" }),
  },
  redirect("308, a redirect", ""),
  redirect("308, a redirect that takes a query along", "?from=audit"),
];

function redirect(name: string, query: string): AnswerClass {
  return {
    name,
    isActive: false,
    statuses: [301, 302, 303, 307, 308],
    notApplicable: (context) =>
      withoutPages(context) ??
      (context.release === undefined || folderPage(context) !== undefined
        ? undefined
        : "the release has no page in a folder, to redirect to"),
    get: async (context, protocol) => {
      const folder = folderPage(context);
      if (folder === undefined) return noRelease(context);
      return context.caller.send({ method: "GET", path: encodeURI(folder.slice(0, -1)) + query, protocol });
    },
  };
}

/** A server may always send the whole instead (RFC 9110 §14.2). */
function part(name: string, range: string, status: number): AnswerClass {
  return {
    name,
    isActive: false,
    statuses: [status, 200],
    notApplicable: (context) =>
      withoutRelease(context) ??
      (context.release === undefined || undivided(context) !== undefined
        ? undefined
        : "the release has no file that could be sent in parts"),
    get: async (context, protocol) => {
      const path = undivided(context);
      return path === undefined
        ? noRelease(context)
        : context.caller.send({
            method: "GET",
            path: encodeURI(path),
            protocol,
            headers: [["range", range]],
          });
    },
  };
}

/** A file that is sent in one form only: what has compressed ones is not sent in parts. */
const undivided = ({ release }: AuditContext): string | undefined =>
  release?.manifest.files.find((file) => !isHtml(file) && file.variants.length === 1)?.path;

/** So many kinds of files are asked for: more than sites have. Of what has more it is said. */
export const maxTypes = 200;

/** One file of each media type and ending: servers are told what to send by either, and forget one of them. */
function assetPaths({ release }: AuditContext): string[] {
  const bySort = new Map<string, string>();
  for (const file of release?.manifest.files ?? []) {
    if (isHtml(file)) continue;
    const type = file.headers.find(([name]) => name === "content-type")?.[1];
    const sort = `${type} ${/\.[^./]*$/.exec(file.path)?.[0] ?? ""}`;
    if (!bySort.has(sort)) bySort.set(sort, file.path);
  }
  return [...bySort.values()];
}

/** A page whose address ends in a slash, which the same without it leads to. */
const folderPage = (context: AuditContext): string | undefined =>
  pagesOf(context).find((path) => path !== "/" && path.endsWith("/"));

const withoutRelease = ({ contract, release }: AuditContext): string | undefined =>
  contract.site === undefined && release === undefined ? "the contract has no site" : undefined;
