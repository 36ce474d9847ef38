import type { Header } from "../../contract/index.ts";
import type { AnsweredFile, Answers } from "../answers.ts";
import { acceptPatterns, compressionsOf } from "../blobs.ts";
import { createHeaderSets } from "../header-sets.ts";
import type { Compression, DeclaredRedirect } from "../site.ts";
import { headerDirectives } from "./headers.ts";
import { below, hashSize, map, pathMap } from "./map-text.ts";
import type { Row, Rule } from "./map-text.ts";

/** What the server's part refers to, and the maps behind it. */
export interface NginxMaps {
  /** For http {}. */
  readonly text: string;
  /** One `add_header` a header. */
  readonly headerLines: readonly string[];
  /** Statuses that `$cw_move_…` exists for. */
  readonly moveStatuses: readonly number[];
}

/** Writes the maps of a site: everything about a request that is looked up. */
export function nginxMaps(answers: Answers): NginxMaps {
  const sets = createHeaderSets();
  const files = answers.files.map((file): Row => [file.path, fileEntry(file, sets.numberOf(file.headers))]);
  const moves = answers.moves.map((move): Row => [move.from, moveEntry(move)]);
  const statuses = [...new Set(answers.moves.map(({ status }) => status))].sort(
    (left, right) => left - right,
  );
  const compressions = compressionsOf(answers.files);
  const headers = headerDirectives(answerLists(answers, sets.lists));
  const text = [
    "# For http {}. Written by curtainwall: changes are lost.",
    hashSize([...files, ...moves]),
    // nginx has no escape for a dollar sign where it looks for variables.
    `geo $cw_dollar { default "$"; }`,
    ...compressions.map(acceptMap),
    pathMap("cw_entry", files),
    map(choiceSource(compressions, "$cw_entry $uri"), "cw_found", foundRules(compressions), ""),
    map("$cw_found", "cw_set", [["~^(\\d+) ", "$1"]], ""),
    map("$cw_found", "cw_coding", [["~^\\d+ (br|gzip|zstd) ", "$1"]], ""),
    map("$cw_found", "cw_blob", [["~ ([0-9a-f]{64})$", "$1"]], ""),
    map("$cw_blob", "cw_tag", [["~.", '"$cw_blob"']], ""),
    map("$cw_tag $http_if_none_match", "cw_unchanged", unchangedRules, "0"),
    pathMap("cw_move", moves),
    ...statuses.map((status) => map("$cw_move $uri", `cw_move_${status}`, moveRules(status), "")),
    map(
      ["$cw_set", ...statuses.map((status) => `$cw_move_${status}`)].join(""),
      "cw_declared",
      [["", "0"]],
      "1",
    ),
    ...missingMaps(answers, compressions),
    ...statusMaps,
    ...headers.maps,
    "",
  ].join("\n");
  return { text, headerLines: headers.lines, moveStatuses: statuses };
}

function acceptMap(compression: Compression): string {
  const rule: Rule = [`~*${acceptPatterns[compression]}`, letters[compression]];
  return map("$http_accept_encoding", `cw_${compression}`, [rule], "-");
}

/** How the maps speak of the encodings that a client takes. */
const letters: Readonly<Record<Compression, string>> = { br: "b", zstd: "z", gzip: "g" };

/** What a path leads to: number of its headers, digests of its bytes, and the path again: maps ignore case, sites don't. */
function fileEntry(file: AnsweredFile, set: number): string {
  const digest = (compression: Compression): string =>
    file.encodings.find(({ encoding }) => encoding === compression)?.sha256 ?? "-";
  return `${set} ${file.sha256} ${digest("br")} ${digest("zstd")} ${digest("gzip")} ${file.path}`;
}

/** `+` where the query goes along. */
function moveEntry({ from, to, status }: DeclaredRedirect): string {
  return `${status}${/[?#]/.test(to) ? "-" : "+"} ${to} ${from}`;
}

const columns: readonly Compression[] = ["br", "zstd", "gzip"];

function choiceSource(compressions: readonly Compression[], rest: string): string {
  return `${compressions.map((compression) => `$cw_${compression}`).join("")}: ${rest}`;
}

/** The first form that the client takes and the file has. The path is compared with what was asked for, case included. */
function foundRules(compressions: readonly Compression[]): Rule[] {
  const rule = (accepted: string, column: number, coding: string): Rule => {
    const digests = [0, 1, 2, 3].map((at) => (at === column ? "([0-9a-f]{64})" : "\\S+"));
    return [`~^${accepted}: (\\d+) ${digests.join(" ")} (/.*) \\3\\z`, `$1 ${coding} $2`];
  };
  return [
    ...columns
      .filter((compression) => compressions.includes(compression))
      .map((compression) =>
        rule(`[a-z-]*${letters[compression]}[a-z-]*`, columns.indexOf(compression) + 1, compression),
      ),
    rule("[a-z-]*", 0, "-"),
  ];
}

/** RFC 9110 §13.1.2: tags are compared weakly. */
const unchangedRules: Rule[] = [
  ['~^("[0-9a-f]{64}") (?:[^ ].*,)?[ \\t]*(?:W/)?\\1[ \\t]*(?:,|\\z)', "1"],
  ['~^"[0-9a-f]{64}" \\*\\z', "1"],
];

function moveRules(status: number): Rule[] {
  return [
    [`~^${status}\\+ (\\S+) (/.*) \\2\\z`, "$1$is_args$args"],
    [`~^${status}- (\\S+) (/.*) \\2\\z`, "$1"],
  ];
}

/** The 404 page of the nearest folder. `$cw_asked` is what was asked for: the page itself is found by an internal redirect. */
function missingMaps(answers: Answers, compressions: readonly Compression[]): string[] {
  const pages = missingPages(answers);
  const folders = answers.missingBelow.map(({ folder }, at): Rule => [below(folder), `n${at}`]);
  const rules = pages.flatMap(([name, { encodings, sha256 }]): Rule[] => [
    ...columns.flatMap((compression): Rule[] => {
      const encoded = encodings.find(({ encoding }) => encoding === compression);
      return encoded === undefined
        ? []
        : [[`~^[a-z-]*${letters[compression]}[a-z-]*: ${name}\\z`, `${compression} ${encoded.sha256}`]];
    }),
    [`~ ${name}\\z`, `- ${sha256}`],
  ]);
  return [
    map("$cw_asked", "cw_missing_page", folders, answers.missing === undefined ? "e" : "n"),
    map(choiceSource(compressions, "$cw_missing_page"), "cw_missing", rules, ""),
    map("$cw_missing", "cw_missing_coding", [["~^(br|gzip|zstd) ", "$1"]], ""),
    map("$cw_missing", "cw_missing_blob", [["~ ([0-9a-f]{64})\\z", "$1"]], ""),
  ];
}

/** By the name that `$cw_missing_page` has for them. */
function missingPages({ missing, missingBelow }: Answers): (readonly [string, AnsweredFile])[] {
  const own = missing === undefined ? [] : [["n", missing] as const];
  return [...own, ...missingBelow.map(({ page }, at) => [`n${at}`, page] as const)];
}

/** Which list of headers an answer carries is known when its status is. */
const statusMaps: readonly string[] = (() => {
  const whole = (variable: string): Rule[] => [
    ["200", variable],
    ["206", variable],
  ];
  const moved = ["301", "302", "307", "308"].map((status): Rule => [status, "m"]);
  const missing: Rule = ["404", "$cw_missing_page"];
  const answer: Rule[] = [...whole("$cw_set"), ["304", "$cw_set"], missing, ["405", "a"], ...moved];
  return [
    map("$status", "cw_answer", answer, "e"),
    map("$status", "cw_body", [...whole("$cw_set"), missing], ""),
    map("$status", "cw_encoded", [...whole("$cw_coding"), ["404", "$cw_missing_coding"]], ""),
    map("$status", "cw_tagged", [...whole("$cw_tag"), ["304", "$cw_tag"]], ""),
  ];
})();

/** Every list of headers by the name that `$cw_answer` has for it. */
function answerLists(
  answers: Answers,
  lists: readonly (readonly Header[])[],
): Map<string, readonly Header[]> {
  const named = new Map<string, readonly Header[]>(lists.map((list, at) => [String(at), list]));
  for (const [name, { headers }] of missingPages(answers)) named.set(name, headers);
  named.set("m", answers.moveHeaders);
  named.set("e", answers.refusalHeaders);
  named.set("a", [...answers.refusalHeaders, ["allow", "GET, HEAD"]]);
  return named;
}
