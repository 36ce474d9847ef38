import type { Contract } from "../../contract/index.ts";
import type { HardenedFile } from "../../harden/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";

/** An address of a foreign site, and what it answers with. */
export type Address = Pick<HardenedFile, "path" | "source" | "headers" | "sha256">;

/**
 * The addresses at which a static host would answer: each file's own; `/guide/` for `guide/index.html`, to which the edge sends
 * `/guide`; and `/about` for `about.html`, unless a file has that name. Sorted by their files, so that one is read once.
 *
 * @throws {CurtainwallError} `STACK_SITE_REFUSED` for a file where the API or the reports are: it would be answered in their place
 */
export function addressesOf(
  files: readonly HardenedFile[],
  contract: Pick<Contract, "apiRoots" | "reports">,
): Address[] {
  const isTaken = (path: string): boolean =>
    contract.apiRoots.has(path.split("/")[1] ?? "") || path === contract.reports?.path;
  const clash = files.find(({ path }) => isTaken(path));
  if (clash !== undefined) throw inTheWay(clash);
  const own = new Set(files.map(({ path }) => path));
  const short = files.flatMap((file) => {
    const path = /^(.*[^/])\.html$/.exec(file.path)?.[1];
    const isFree = path !== undefined && !path.endsWith("/index") && !own.has(path) && !isTaken(path);
    return isFree ? [{ ...file, path }] : [];
  });
  return [...files, ...short].sort(
    (left, right) => compare(left.source, right.source) || compare(left.path, right.path),
  );
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function inTheWay({ path, source }: HardenedFile): CurtainwallError<StackErrorCode> {
  return new CurtainwallError(
    "STACK_SITE_REFUSED",
    `The site's file ${JSON.stringify(source)} lies at ${JSON.stringify(path)}, which belongs to the API or to reports.`,
    { hint: "Let the generator write it elsewhere, or give the routes another first part" },
  );
}
