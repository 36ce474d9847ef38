import { relative, sep } from "node:path";
import { isForeign, lockName } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";

/** What has to be done anew for a changed file. To build the site is to build its functions, too. */
export type Work = "contract" | "approvals" | "site" | "functions";

/** Says what a file asks for; undefined for one that nothing is made of. */
export type SortChange = (file: string, functionSources: ReadonlySet<string>) => Work | undefined;

/** What may be imported from anywhere, by templates, or by a function that did not find it before. */
const isCode = (file: string): boolean => code.test(file) && !notImported.test(file);
const code = /\.(?:[cm]?[jt]sx?|json)$/;
const notImported = /(?:^|\/)(?:package(?:-lock)?|tsconfig[^/]*)\.json$|\.(?:test|spec|d)\.[^./]+$/;

/** Sorts the changes of a project by what has to be done for them. */
export function sortChanges({
  contract,
  root,
  modules,
}: Pick<LoadedContract, "contract" | "root" | "modules">): SortChange {
  const contractFiles = new Set(modules.map((file) => relative(root, file).split(sep).join("/")));
  const isOfSite = siteFiles(contract.site);
  return (file, functionSources) => {
    if (contractFiles.has(file)) return "contract";
    if (file === lockName) return "approvals";
    const isOfFunctions = file.startsWith("functions/");
    if (!isOfFunctions && isOfSite(file)) return "site";
    const isNeeded = isOfFunctions || functionSources.has(file) || isCode(file);
    return isNeeded && contract.functions.size > 0 ? "functions" : undefined;
  };
}

function siteFiles(site: LoadedContract["contract"]["site"]): (file: string) => boolean {
  if (site === undefined) return () => false;
  // Any file may be a generator's, but for those that it writes. Where nothing is generated these are the site.
  if (isForeign(site)) return (file) => isWithin(file, site.dist) === (site.build === undefined);
  const folders = [site.content, site.templates, ...(site.assets === undefined ? [] : [site.assets])];
  return (file) => folders.some((folder) => isWithin(file, folder)) || isCode(file);
}

function isWithin(file: string, folder: string): boolean {
  const path = folder.replace(/^\.\//, "").replace(/\/$/, "");
  return path === "." || file === path || file.startsWith(`${path}/`);
}
