/** What a policy permits, by directive: the sources that count there once defaults are resolved. */
export type Permissions = ReadonlyMap<string, ReadonlySet<string>>;

/** In place of sources: the directive is absent and nothing takes its place. No source is written like this. */
const anything = "(anything)";

/** What takes a directive's place when it is absent, nearest first. */
const fallbacks: ReadonlyMap<string, readonly string[]> = new Map([
  ["default-src", []],
  ["script-src", ["default-src"]],
  ["script-src-elem", ["script-src", "default-src"]],
  ["script-src-attr", ["script-src", "default-src"]],
  ["style-src", ["default-src"]],
  ["style-src-elem", ["style-src", "default-src"]],
  ["style-src-attr", ["style-src", "default-src"]],
  ["worker-src", ["child-src", "script-src", "default-src"]],
  ["child-src", ["default-src"]],
  ["frame-src", ["child-src", "default-src"]],
  ["fenced-frame-src", ["frame-src", "child-src", "default-src"]],
  ["connect-src", ["default-src"]],
  ["font-src", ["default-src"]],
  ["img-src", ["default-src"]],
  ["manifest-src", ["default-src"]],
  ["media-src", ["default-src"]],
  ["object-src", ["default-src"]],
  ["prefetch-src", ["default-src"]],
  ["base-uri", []],
  ["form-action", []],
  ["frame-ancestors", []],
  ["sandbox", []],
  ["trusted-types", []],
  ["webrtc", []],
]);

/** Their presence restricts, whatever they say. */
const switches = ["require-trusted-types-for", "upgrade-insecure-requests"];

/** Their absence permits nothing. */
const reports = ["report-uri", "report-to"];

/** Takes part of the sources' meaning away, or adds to it: with another company a source is another permission. */
const companions: ReadonlySet<string> = new Set([
  "'strict-dynamic'",
  "'unsafe-hashes'",
  "'unsafe-eval'",
  "'wasm-unsafe-eval'",
  "'trusted-types-eval'",
  "'inline-speculation-rules'",
]);

/** Permit nothing. */
const silent: ReadonlySet<string> = new Set(["'none'", "'report-sample'"]);

/**
 * Says what a Content-Security-Policy permits, so that two can be compared: a page may do no more than another if each of its sets lies
 * in the other's.
 *
 * Of several policies in one header the first is taken: what it forbids, the others can't permit.
 *
 * @see Content Security Policy Level 3 §2.2.1 (parsing), §6.8 (fallback), §6.7.3 (when 'unsafe-inline' is ignored)
 */
export function permissionsOf(policy: string): Permissions {
  // Browsers skip a directive that is not ASCII; whether all do is not to be found out here, so such a policy forbids nothing.
  const directives = parse(/^[ -~]*$/.test(policy) ? (policy.split(",")[0] ?? "") : "");
  const permissions = new Map<string, Set<string>>();
  for (const [name, chain] of fallbacks) {
    const sources = [name, ...chain]
      .map((entry) => directives.get(entry))
      .find((found) => found !== undefined);
    permissions.set(name, sources === undefined ? new Set([anything]) : permitted(sources));
  }
  for (const name of switches) permissions.set(name, new Set(directives.has(name) ? [] : [anything]));
  for (const name of reports) permissions.set(name, permitted(directives.get(name) ?? []));
  for (const name of unneeded(permissions)) permissions.set(name, new Set());
  for (const [name, sources] of directives) {
    if (!permissions.has(name)) permissions.set(name, new Set([sources.join(" ")]));
  }
  return permissions;
}

/** Directives whose absence permits nothing in this company: the inert policy must not make a ceiling of "anything". */
function unneeded(permissions: Permissions): string[] {
  const sandbox = permissions.get("sandbox");
  const runsNothing = sandbox?.has(anything) === false && !sandbox.has("allow-scripts");
  const loadsNothing = [...fallbacks.keys()]
    .filter((name) => name.endsWith("-src"))
    .every((name) => permissions.get(name)?.size === 0);
  return [
    ...(runsNothing ? ["require-trusted-types-for", "trusted-types", "webrtc"] : []),
    ...(loadsNothing ? ["upgrade-insecure-requests"] : []),
  ];
}

/** What one policy permits and another does not: `img-src data:`. Empty: it is as strict. */
export function wideningOf(strict: string, other: string): string[] {
  const ceiling = permissionsOf(strict);
  return [...permissionsOf(other)].flatMap(([name, sources]) =>
    beyond(sources, ceiling.get(name)).map((source) => `${name} ${source}`),
  );
}

/** The sources of `wanted` that `ceiling` lacks. */
export function beyond(wanted: ReadonlySet<string>, ceiling: ReadonlySet<string> | undefined): string[] {
  if (ceiling?.has(anything) === true) return [];
  return [...wanted].filter((source) => ceiling?.has(source) !== true);
}

/** The directives of one policy; of two with one name browsers take the first. */
function parse(policy: string): Map<string, string[]> {
  const directives = new Map<string, string[]>();
  for (const directive of policy.split(";")) {
    const [name, ...sources] = directive.split(/[\t\n\f\r ]+/).filter((part) => part !== "");
    if (name !== undefined && !directives.has(name.toLowerCase()))
      directives.set(name.toLowerCase(), sources);
  }
  return directives;
}

/** Sources that count, each with the company that changes what it means. */
function permitted(written: readonly string[]): Set<string> {
  const sources = written.map(normalize).filter((source) => !silent.has(source));
  const company = [...new Set(sources.filter((source) => companions.has(source)))].sort();
  const isStrictDynamic = company.includes("'strict-dynamic'");
  const exact = sources.filter((source) => exactSource.test(source));
  const rest = sources.filter((source) => !companions.has(source) && !exactSource.test(source));
  // Beside a hash or a nonce browsers ignore 'unsafe-inline'; beside 'strict-dynamic' they ignore addresses too. Not here: alone, on
  // another page, they would count.
  const counted = isStrictDynamic
    ? exact
    : [...exact, ...rest.filter((source) => source !== "'unsafe-inline'" || exact.length === 0)];
  const prefix = company.map((keyword) => `${keyword} `).join("");
  return new Set([...company, ...counted.map((source) => prefix + source)]);
}

const exactSource = /^'(?:sha256|sha384|sha512|nonce)-/;

/** Keywords and hosts are the same in any case; hashes, nonces and paths are not. */
function normalize(source: string): string {
  if (/^'(?:sha\d+|nonce)-/i.test(source))
    return source.replace(/^'[a-z0-9]+-/i, (head) => head.toLowerCase());
  if (source.startsWith("'")) return source.toLowerCase();
  const pathAt = source.indexOf("/", source.indexOf("://") < 0 ? 0 : source.indexOf("://") + 3);
  return pathAt < 0 ? source.toLowerCase() : source.slice(0, pathAt).toLowerCase() + source.slice(pathAt);
}
