import type { Header } from "../../contract/index.ts";
import type { AnsweredFile, Answers } from "../answers.ts";
import { acceptPatterns, compressionsOf } from "../blobs.ts";
import { oddTarget } from "../odd-target.ts";
import type { Compression } from "../site.ts";
import { literals, refuse, sendBlob, sendHeaders } from "./answer.ts";
import { final } from "./json.ts";
import type { Json, Route } from "./json.ts";
import { moveKind, tableOf, unknownKind } from "./table.ts";
import type { Shape } from "./table.ts";

/** Writes what Caddy does with a request, from the first question to the last. */
export function caddyRoutes(answers: Answers, folder: string): Route[] {
  const { handler, shapes } = tableOf(answers);
  const compressions = compressionsOf(answers.files);
  const refused = answers.refusalHeaders;
  return [
    final([{ not: [{ host: [answers.hostname] }] }], [refuse("421", refused)]),
    final(
      [{ vars_regexp: { "{http.request.uri}": { pattern: `(?i)${oddTarget}` } } }],
      [refuse("400", refused)],
    ),
    { handle: [handler] },
    final([{ vars: { "{cw.kind}": [unknownKind] } }], missing(answers, folder)),
    final([{ not: [{ method: ["GET", "HEAD"] }] }], [refuse("405", [...refused, ["allow", "GET, HEAD"]])]),
    ...moves(answers),
    ...shapes.map((shape) => page(shape, compressions, folder)),
    // Caddy says 200 with nothing in it when no route answers.
    { handle: [refuse("500", refused)] },
  ];
}

/** The nearest folder's page: routes are tried in their order, the longest folder first. */
function missing({ missing: file, missingBelow, refusalHeaders }: Answers, folder: string): Json[] {
  const own = file === undefined ? [refuse("404", refusalHeaders)] : [missingPage(file, folder)];
  if (missingBelow.length === 0) return own;
  const nearer = missingBelow.map(({ folder: below, page: nearest }) =>
    final(
      [{ vars_regexp: { "{http.request.orig_uri.path}": { pattern: `^${escapeExpression(below)}` } } }],
      [missingPage(nearest, folder)],
    ),
  );
  return [{ handler: "subroute", routes: [...nearer, { handle: own }] }];
}

function missingPage(file: AnsweredFile, folder: string): Json {
  const headers = literals(file.headers);
  const encoded = file.encodings.map(({ encoding, sha256 }) =>
    final(
      [accepts(encoding)],
      [
        sendHeaders([...headers, ["content-encoding", encoding]], ["accept-ranges"]),
        ...sendBlob(folder, sha256, "404"),
      ],
    ),
  );
  const whole = [sendHeaders(headers, ["accept-ranges"]), ...sendBlob(folder, file.sha256, "404")];
  return { handler: "subroute", routes: [...encoded, { handle: whole }] };
}

/** As RE2 reads it. */
const escapeExpression = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function moves({ moves: declared, moveHeaders }: Answers): Route[] {
  return [...new Set(declared.map(moveKind))].flatMap((kind) => {
    const to = (location: string): Json[] => [
      sendHeaders([...literals(moveHeaders), ["location", location]]),
      { handler: "static_response", status_code: kind.slice(0, 3) },
    ];
    const whole = final([{ vars: { "{cw.kind}": [kind] } }], to("{cw.to}"));
    if (kind.endsWith("-")) return [whole];
    const queried = { vars: { "{cw.kind}": [kind] }, not: [{ vars: { "{http.request.uri.query}": [""] } }] };
    return [final([queried], to("{cw.to}?{http.request.uri.query}")), whole];
  });
}

/** A file's best form that the client takes. */
function page({ kind, headers }: Shape, compressions: readonly Compression[], folder: string): Route {
  const encoded = compressions.map((compression) => {
    const digest = `{cw.${compression}}`;
    const has = { ...accepts(compression), not: [{ vars: { [digest]: [""] } }] };
    return final([has], form([...headers, ["content-encoding", compression]], digest, folder));
  });
  const routes = [...encoded, { handle: form(headers, "{cw.identity}", folder) }];
  return final([{ vars: { "{cw.kind}": [kind] } }], [{ handler: "subroute", routes }]);
}

/** 304 to who has these bytes, else the bytes. */
function form(headers: readonly Header[], digest: string, folder: string): Json[] {
  const tag: Header = ["etag", `"${digest}"`];
  const kept = headers.filter(
    ([name]) => !["content-type", "content-language", "content-encoding"].includes(name),
  );
  const unchanged = final(
    // The tag anywhere in the list; or anything, which an expression with nothing but spaces around says best.
    [
      { header: { "If-None-Match": [`*"${digest}"*`] } },
      { header_regexp: { "If-None-Match": { pattern: "^\\s*\\*\\s*$" } } },
    ],
    [sendHeaders([...kept, tag]), { handler: "static_response", status_code: "304" }],
  );
  // A part of these bytes is only for who has the rest of these bytes.
  const rangeOfOther = {
    match: [{ header: { "If-Range": ["*"] }, not: [{ header: { "If-Range": [`"${digest}"`] } }] }],
    handle: [{ handler: "headers", request: { delete: ["Range"] } }],
  };
  const whole = { handle: [sendHeaders([...headers, tag]), ...sendBlob(folder, digest)] };
  return [{ handler: "subroute", routes: [unchanged, rangeOfOther, whole] }];
}

const accepts = (compression: Compression): Route => ({
  header_regexp: { "Accept-Encoding": { pattern: `(?i)${acceptPatterns[compression]}` } },
});
