import type { Header } from "../../contract/index.ts";
import { answersOf, encodePath } from "../answers.ts";
import type { Answers } from "../answers.ts";
import { hostsError, shown } from "../errors.ts";
import { headerLine } from "../header-lines.ts";
import { hostLimits } from "../limits.ts";
import { headersToTell } from "../media-types.ts";
import { planRules, ruleCounts } from "../rules.ts";
import type { Rule } from "../rules.ts";
import type { DeclaredSite, Emission } from "../site.ts";
import { fileNameOf, refused, treeOf } from "../tree.ts";
import type { TreeOptions } from "../tree.ts";

/** Options of {@link emitCloudflare}. */
export interface CloudflareOptions {
  /** The Worker's name. Default: made from the origin's host. */
  name?: string;
}

/** `_headers` and `_redirects` are cut off there; the parser counts a line without the spaces around it. */
const maxLineLength = 2000;
const tree: TreeOptions = {
  host: "Cloudflare",
  folder: "site/",
  reserved: ["_headers", "_redirects", "_worker.js", "_routes.json", ".assetsignore"],
};
const limits = hostLimits.cloudflare;

/**
 * Writes a site for Cloudflare's Workers with static assets: `wrangler.jsonc`, and `_headers` and `_redirects` in the site.
 * Paths are served as they are declared, `.html` included, and `/about` goes to `/about/` with 308.
 *
 * @throws {CurtainwallError} `HOSTS_LIMIT_EXCEEDED` for more than 100 header rules, 2000 redirects or a line that Cloudflare
 *   would drop; `HOSTS_PATH_REFUSED`, `HOSTS_HEADER_REFUSED`, `HOSTS_SITE_INVALID` or `HOSTS_OPTION_INVALID`
 */
export function emitCloudflare(site: DeclaredSite, { name }: CloudflareOptions = {}): Emission {
  const answers = answersOf(site);
  const worker = name ?? answers.hostname.replaceAll(/[^a-z0-9-]/g, "-").slice(0, 63);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(worker))
    throw hostsError(
      "HOSTS_OPTION_INVALID",
      `${shown(worker)} can't be a Worker's name.`,
      'Name it with lower-case letters, digits and hyphens: name: "bakery"',
    );
  const placements = treeOf(answers, tree);
  if (placements.length > limits.maxFiles)
    throw exceeded(`it has ${placements.length} files, and Cloudflare takes ${limits.maxFiles}`);
  return {
    host: "cloudflare",
    files: [
      { path: "wrangler.jsonc", text: wranglerConfig(worker, answers) },
      { path: "site/_headers", text: headersFile(answers) },
      { path: "site/_redirects", text: redirectsFile(answers) },
    ],
    placements,
    notes: [
      "Deploy it with: npx wrangler deploy. Cloudflare compresses, and sets ETag, by itself; a file is also found at its own name, /about/index.html.",
      "Switch off what rewrites pages (Rocket Loader, Email Obfuscation, Auto Minify): it would break hashes and integrity.",
      "A rule for a folder also covers what is not there: a 404 below it has that folder's cache-control.",
      ...(placements.length > 20_000 ? ["The free plan takes 20,000 files."] : []),
    ],
  };
}

function wranglerConfig(name: string, answers: Answers): string {
  const config = {
    $schema: "node_modules/wrangler/config-schema.json",
    name,
    compatibility_date: "2026-07-01",
    assets: {
      directory: "./site",
      // Otherwise /page.html would go to /page, which nobody declared.
      html_handling: "none",
      not_found_handling:
        answers.missing === undefined && answers.missingBelow.length === 0 ? "none" : "404-page",
    },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function headersFile(answers: Answers): string {
  const files = answers.files.map(({ path, headers }) => ({ path, headers: headersToTell(path, headers) }));
  const defaults =
    answers.missing === undefined ? undefined : headersToTell("/404.html", answers.missing.headers);
  const missingBelow = new Map(
    answers.missingBelow.map(({ folder, page }) => [folder, headersToTell(page.path, page.headers)]),
  );
  const rules = planRules(files, { defaults, missingBelow, canUnset: true, canEnd: true });
  const blocks = rules.flatMap((rule) => patternsOf(rule).map((pattern) => block(pattern, rule)));
  if (blocks.length > limits.maxRules)
    throw exceeded(
      `its headers need ${blocks.length} rules, most of them for ${ruleCounts(rules)}, and Cloudflare reads ${limits.maxRules}`,
    );
  return `${blocks.join("\n")}\n`;
}

/** A page's address in both ways that a client may write it; Cloudflare sends other files' on to the second. */
function patternsOf({ path, below, ending = "" }: Rule): string[] {
  if (path !== "/" && path.includes("*"))
    throw refused(path, tree, "it needs headers of its own, and * stands for any text in Cloudflare's rules");
  if (path === "/") return [below ? `/*${ending}` : "/"];
  if (below || path.endsWith("/"))
    return [...new Set([encodePath(path), canonical(path)])].map((form) => (below ? `${form}*` : form));
  return [canonical(path)];
}

/** As Cloudflare writes a path: it decodes, encodes again, and redirects to the result if it differs. */
const canonical = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

function block(pattern: string, rule: Rule): string {
  if (pattern.length > maxLineLength) throw refused(rule.path, tree, "it is longer than a line of its rules");
  if (/:[A-Za-z]/.test(pattern))
    throw refused(rule.path, tree, "a colon begins a placeholder in Cloudflare's rules");
  const lines = rule.set.map(([name, value]) => line([name, value], rule));
  return [pattern, ...rule.unset.map((name) => `  ! ${name}`), ...lines].join("\n");
}

function line([name, value]: Header, { path, below }: Rule): string {
  if (below && value.includes(":splat"))
    throw hostsError(
      "HOSTS_HEADER_REFUSED",
      `The header ${name} of ${shown(path)} has ":splat" in its value, which Cloudflare replaces by a part of the path.`,
      "Change the value",
    );
  return headerLine(name, value, path, maxLineLength);
}

/** Redirects, and pages: a path with a slash at its end is rewritten to its file. */
function redirectsFile({ files, moves }: Answers): string {
  const pages = files.filter(({ path }) => path.endsWith("/"));
  const rows = [
    ...moves.flatMap(({ from, to, status }) => forms(from).map((form) => `${form} ${to} ${status}`)),
    ...pages.flatMap(({ path }) =>
      forms(path).map((form) => `${form} ${canonical(`/${fileNameOf(path)}`)} 200`),
    ),
  ];
  if (rows.length > limits.maxRedirects)
    throw exceeded(
      `its redirects and folders need ${rows.length} lines of _redirects, and Cloudflare reads ${limits.maxRedirects}`,
    );
  const long = rows.find((row) => row.length > 1000);
  if (long !== undefined)
    throw exceeded(`the redirect ${shown(long)} is longer than Cloudflare's 1000 characters`);
  return rows.map((row) => `${row}\n`).join("");
}

function forms(path: string): string[] {
  if (/[*]/.test(path)) throw refused(path, tree, "* stands for any text in Cloudflare's redirects");
  const encoded = encodePath(path);
  // Written as it is, a colon would begin a placeholder; browsers leave it as it is.
  if (/:[A-Za-z]/.test(encoded))
    throw refused(path, tree, "a colon begins a placeholder in Cloudflare's redirects");
  return [...new Set([encoded, canonical(path)])];
}

function exceeded(what: string) {
  return hostsError(
    "HOSTS_LIMIT_EXCEEDED",
    `The site does not fit Cloudflare: ${what}.`,
    "Give pages one header in common and the rest in a <meta>: curtainwall harden --for cloudflare does that. Or choose nginx or caddy",
  );
}
