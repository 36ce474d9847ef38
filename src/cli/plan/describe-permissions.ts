import { programOf } from "../../contract/index.ts";
import type { Program, ReleaseFile, ReleaseManifest } from "../../contract/index.ts";
import { counted, printable } from "../../shared/index.ts";

/** Says what a program permits, a line each: what pages may do, and apart from it what only other files may, which have policies of their own. */
export function describePermissions(program: Program, manifest: ReleaseManifest): string[] {
  const ofPages = sourcesByDirective(
    programOf({ ...manifest, files: manifest.files.filter(isPage) }, program),
  );
  const others = manifest.files.filter((file) => !isPage(file));
  return program.policy.flatMap(([directives, sources]) => {
    const named = directives.filter(
      (name) => name.endsWith("-src") || sources.some((source) => !source.startsWith("(")),
    );
    const [first] = named;
    if (first === undefined || sources.length === 0) return [];
    const paged = sources.filter((source) => named.some((name) => ofPages.get(name)?.has(source)));
    const rest = sources.filter((source) => !paged.includes(source));
    return [
      ...(paged.length === 0 ? [] : [`${named.join(", ")}: ${shorten(paged)}`]),
      ...(rest.length === 0 ? [] : [`${named.join(", ")}: ${shorten(rest)}  ${whose(rest, others)}`]),
    ];
  });
}

function sourcesByDirective({ policy }: Program): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    policy.flatMap(([names, sources]) => names.map((name) => [name, new Set(sources)] as const)),
  );
}

const isPage = ({ headers }: ReleaseFile): boolean =>
  headers.some(([name, value]) => name === "content-type" && /html/.test(value));

function whose(sources: readonly string[], files: readonly ReleaseFile[]): string {
  const owners = files.filter(({ headers }) =>
    headers.some(
      ([name, value]) =>
        name === "content-security-policy" && sources.some((source) => value.includes(source)),
    ),
  );
  const [owner] = owners;
  if (owner === undefined) return "(of no page: files without a policy of their own get the edge's)";
  return `(of no page, but of ${printable(owner.path)}${owners.length > 1 ? ` and ${counted(owners.length - 1, "more file")}` : ""}, opened by itself)`;
}

function shorten(sources: readonly string[]): string {
  const more = sources.length - 8;
  return `${sources.slice(0, 8).join(" ")}${more > 0 ? ` and ${more} more` : ""}`;
}
