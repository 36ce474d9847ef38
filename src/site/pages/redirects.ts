import type { ReleaseRedirect } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import type { AddressBook } from "../paths.ts";
import type { ParsedEntry } from "../content/read-entries.ts";

const place = { file: "the contract's site.redirects" };

/**
 * Makes the site's redirects: the old addresses of its pages, and the contract's. One that leads to another leads to where that one does,
 * so that nobody is sent twice.
 *
 * @throws {CurtainwallError} `SITE_PATH_CONFLICT`, `SITE_REDIRECT_INVALID`, `SITE_REFERENCE_BROKEN`
 */
export function makeRedirects(
  entries: readonly ParsedEntry[],
  declared: ReadonlyMap<string, string>,
  addresses: AddressBook,
): ReleaseRedirect[] {
  const targets = new Map(declared);
  for (const { aliases, path } of entries) for (const alias of aliases) targets.set(alias, path);
  for (const path of declared.keys()) addresses.claim(path, place);
  return [...targets.keys()].map((path) => {
    const to = follow(path, targets);
    assertLeads(path, to, addresses);
    // Permanent, and the method stays what it was.
    return { path, to, status: 308 };
  });
}

/** @throws {CurtainwallError} `SITE_REDIRECT_INVALID` for a circle */
function follow(start: string, targets: ReadonlyMap<string, string>): string {
  const seen = [start];
  let to = targets.get(start) ?? start;
  for (let next = targets.get(pathOf(to)); next !== undefined; next = targets.get(pathOf(to))) {
    if (seen.includes(pathOf(to))) {
      throw siteError("SITE_REDIRECT_INVALID", `${[...seen, pathOf(to)].join(" leads to ")}: a circle.`, {
        place,
        hint: "Let one of them lead to a page",
      });
    }
    seen.push(pathOf(to));
    to = next;
  }
  return to;
}

function assertLeads(path: string, to: string, addresses: AddressBook): void {
  if (!to.startsWith("/") || addresses.has(pathOf(to)) || addresses.isApi(pathOf(to))) return;
  throw siteError("SITE_REFERENCE_BROKEN", `${path} leads to ${to.slice(0, 120)}, where nothing is.`, {
    place,
    hint: addresses.has(`${pathOf(to)}/`)
      ? `Write ${pathOf(to)}/`
      : "Correct the address, or add the page or file",
  });
}

const pathOf = (address: string): string => address.replace(/[?#].*$/, "");
