import { answersOf, encodePath } from "../answers.ts";
import type { AnsweredFile, Answers, MissingPage } from "../answers.ts";
import { hostsError, shown } from "../errors.ts";
import { headerLine } from "../header-lines.ts";
import { hostLimits } from "../limits.ts";
import { headersToTell } from "../media-types.ts";
import { planRules } from "../rules.ts";
import type { Rule, RuledFile } from "../rules.ts";
import type { DeclaredSite, Emission } from "../site.ts";
import { refused, treeOf } from "../tree.ts";
import type { TreeOptions } from "../tree.ts";
import { assertRulesMean } from "./match.ts";

const limits = hostLimits.netlify;
const tree: TreeOptions = {
  host: "Netlify",
  folder: "site/",
  reserved: ["_headers", "_redirects", "netlify.toml", ".netlify"],
};

/**
 * Writes a site for Netlify: `netlify.toml`, and `_headers` and `_redirects` in the site.
 *
 * @throws {CurtainwallError} `HOSTS_LIMIT_EXCEEDED`, `HOSTS_PATH_REFUSED`, `HOSTS_HEADER_REFUSED` or `HOSTS_SITE_INVALID` for
 *   what Netlify would refuse, drop, change or apply to other paths too
 */
export function emitNetlify(site: DeclaredSite): Emission {
  const answers = answersOf(site);
  const placements = treeOf(answers, tree);
  return {
    host: "netlify",
    files: [
      { path: "netlify.toml", text: config },
      { path: "site/_headers", text: headersFile(answers) },
      { path: "site/_redirects", text: redirectsFile(answers, site) },
    ],
    placements,
    notes: [
      "Deploy it with: npx netlify deploy --prod. Netlify compresses, and sets ETag and the charset of text/html, by itself.",
      "Netlify takes the slash at a path's end, and case, for the same in rules; a 404 gets the headers of /* only.",
      ...answers.missingBelow
        .filter((missing) => !isRewritten(missing, answers))
        .map(
          ({ folder }) =>
            `What is not there below ${folder} gets /404.html: ${folder}404.html has other headers, and Netlify sends a 404 with those of /*.`,
        ),
      "Leave asset optimisation and snippet injection off: they change pages after their hashes were taken.",
    ],
  };
}

/** Without post processing: it would change pages after their hashes were taken. */
const config = `[build]
publish = "site"
command = ""

[build.processing]
skip_processing = true
`;

function headersFile(answers: Answers): string {
  const files = answers.files.map(({ path, headers }): RuledFile => ({
    path,
    headers: headersToTell(path, headers),
  }));
  const defaults =
    answers.missing === undefined ? undefined : headersToTell("/404.html", answers.missing.headers);
  const rules = planRules(files, { defaults, canUnset: false, canEnd: false });
  const text = rules.map(block).join("\n");
  assertRulesMean(rules, files);
  return `${text}\n`;
}

function block(rule: Rule): string {
  assertPattern(rule);
  const lost = rule.unset.find((name) => !rule.set.some(([header]) => header === name));
  if (lost !== undefined)
    throw refused(rule.path, tree, `a folder above it sets ${lost}, which no rule can take back`);
  const lines = rule.set.map(([name, value]) => {
    if (value !== value.split(/\s*,\s*/).join(", "))
      throw hostsError(
        "HOSTS_HEADER_REFUSED",
        `The header ${name} of ${shown(rule.path)} would be changed: Netlify writes ", " for every comma in a value.`,
        'Write the value with ", "',
      );
    return headerLine(name, value, rule.path, limits.maxValueLength);
  });
  return [rule.below ? `${rule.path}*` : rule.path, ...lines].join("\n");
}

/** Netlify says of redirects how paths are encoded, and nothing of headers: what needs encoding gets no rule. */
function assertPattern({ path }: Rule): void {
  const segments = path.split("/");
  if (segments.some((segment) => segment.startsWith(":")))
    throw refused(
      path,
      tree,
      "it needs headers of its own, and a colon begins a placeholder in Netlify's rules",
    );
  if (path.includes("*"))
    throw refused(path, tree, "it needs headers of its own, and * stands for any text in Netlify's rules");
  if (encodePath(path) !== path)
    throw refused(
      path,
      tree,
      "it needs headers of its own, and how Netlify's rules match escapes is not documented",
    );
  if (path.length > limits.maxPathLength) throw refused(path, tree, "it is too long for a rule");
}

/** Netlify's headers of a 404 are those of `/*`: a folder's own page is sent if it has the same. */
function isRewritten({ folder, page }: MissingPage, { missing }: Answers): boolean {
  const told = (file: AnsweredFile): string =>
    JSON.stringify(
      headersToTell("/404.html", file.headers).toSorted(([left], [right]) => (left < right ? -1 : 1)),
    );
  return missing !== undefined && told(page) === told(missing) && !/[*:]/.test(folder);
}

function redirectsFile(answers: Answers, { redirects = [] }: DeclaredSite): string {
  const bare = new Set(answers.files.map(({ path }) => path.replace(/(.)\/$/, "$1").toLowerCase()));
  const rows = redirects.map(({ from, to, status }) => {
    if (/[*:]/.test(from)) throw refused(from, tree, "* and : stand for other text in Netlify's redirects");
    if (bare.has(from.replace(/(.)\/$/, "$1").toLowerCase()))
      throw refused(
        from,
        tree,
        "a redirect there would differ from a page's address by its last slash or case only",
      );
    return `${encodePath(from)} ${to} ${status}`;
  });
  for (const missing of answers.missingBelow)
    if (isRewritten(missing, answers))
      rows.push(`${encodePath(missing.folder)}* ${encodePath(missing.page.path)} 404`);
  if (rows.length > limits.maxRedirects) throw exceeded(`it has ${rows.length} redirects`);
  return rows.map((row) => `${row}\n`).join("");
}

function exceeded(what: string) {
  return hostsError(
    "HOSTS_LIMIT_EXCEEDED",
    `The site does not fit Netlify: ${what}.`,
    "Give pages one header in common and the rest in a <meta>: curtainwall harden --for netlify does that. Or choose nginx or caddy",
  );
}
