import type { Answers } from "../answers.ts";
import { hostsError, shown } from "../errors.ts";
import { oddTarget } from "../odd-target.ts";
import type { NginxMaps } from "./maps.ts";
import { quoted } from "./text.ts";

/** Where a server stands, and what it listens on. */
export interface NginxPlace {
  readonly folder: string;
  readonly chainFile: string;
  readonly keyFile: string;
  readonly listen: readonly string[];
}

/** No request can have this path: an empty segment is refused before it is looked up. */
const missingLocation = "/cw//missing";

/** Writes the directives of the server: what an answer is made of. */
export function nginxServer(answers: Answers, maps: NginxMaps, { folder }: NginxPlace): string {
  return [
    "# For server {}. Written by curtainwall: changes are lost.",
    `root ${absolute(`${folder}/blobs`)};`,
    // Content-Type comes with the other headers, so that any file can have any.
    `types { } default_type "";`,
    "etag off; if_modified_since off; gzip off; charset off; autoindex off; max_ranges 1;",
    "server_tokens off; merge_slashes off; absolute_redirect off;",
    ...maps.headerLines,
    "add_header content-encoding $cw_encoded always;",
    "add_header etag $cw_tagged always;",
    `add_header last-modified "" always;`,
    `if ($host != ${quoted(answers.hostname)}) { return 421; }`,
    `if ($request_uri ~* ${quoted(oddTarget)}) { return 400; }`,
    "location / {",
    "  set $cw_asked $uri;",
    "  if ($cw_declared = 0) { return 404; }",
    `  if ($request_method !~ "^(?:GET|HEAD)$") { return 405; }`,
    ...maps.moveStatuses.map(
      (status) => `  if ($cw_move_${status}) { return ${status} $cw_move_${status}; }`,
    ),
    "  if ($cw_unchanged) { return 304; }",
    "  try_files /$cw_blob =500;",
    "}",
    ...(answers.missing === undefined && answers.missingBelow.length === 0 ? [] : missingPage),
    "",
  ].join("\n");
}

/** By a location with a path: in a named one, a POST would be answered with 405. */
const missingPage: readonly string[] = [
  `error_page 404 ${missingLocation};`,
  `location = ${missingLocation} {`,
  "  internal;",
  '  if ($cw_missing_blob = "") { return 404; }',
  "  try_files /$cw_missing_blob =500;",
  "}",
];

/** Writes a whole server, for who has none. */
export function nginxSite(answers: Answers, { folder, listen, chainFile, keyFile }: NginxPlace): string {
  const refused = listen.find((value) => !/^[A-Za-z0-9.:[\]/_ =-]+$/.test(value));
  if (refused !== undefined) throw invalid(`nginx can't listen on ${shown(refused)}`, '"443 ssl http2"');
  return [
    "# For http {}. Written by curtainwall: changes are lost.",
    `include ${absolute(`${folder}/nginx/http.conf`)};`,
    "server {",
    ...listen.map((value) => `  listen ${value};`),
    `  server_name ${quoted(answers.hostname)};`,
    `  ssl_certificate ${absolute(chainFile)};`,
    `  ssl_certificate_key ${absolute(keyFile)};`,
    "  ssl_protocols TLSv1.3;",
    `  include ${absolute(`${folder}/nginx/server.conf`)};`,
    "}",
    "",
  ].join("\n");
}

/** A file's name as a parameter. nginx reads `$` in it as a variable's beginning and `*` in an include as a pattern. */
function absolute(path: string): string {
  if (/^\/[^\p{Cc}$*?[\]]+$/u.test(path)) return quoted(path);
  throw invalid(`nginx can't be given the path ${shown(path)}`, '"/srv/site"');
}

function invalid(what: string, example: string) {
  return hostsError(
    "HOSTS_OPTION_INVALID",
    `The options don't work: ${what}.`,
    `Write it as in nginx, for example ${example}`,
  );
}
