import type { Answers } from "./answers.ts";
import { hostsError, shown } from "./errors.ts";
import type { Placement } from "./site.ts";

/** A host that takes a folder as it is. */
export interface TreeOptions {
  readonly host: string;
  /** Below which the site lies, with a slash at its end. */
  readonly folder: string;
  /** Names at the top of the site that mean something else to the host. */
  readonly reserved: readonly string[];
}

/** The name that a path's bytes have in a folder: `/about/` is `about/index.html`. */
export const fileNameOf = (path: string): string =>
  (path.endsWith("/") ? `${path}index.html` : path).slice(1);

/**
 * Lays a site out as a folder.
 *
 * @throws {CurtainwallError} `HOSTS_PATH_REFUSED` when two paths need one name, when a name is a file and a folder at once, is
 *   the host's, or is longer than file systems allow
 */
export function treeOf({ files, missing }: Answers, options: TreeOptions): Placement[] {
  const names = new Map<string, { path: string; sha256: string }>();
  const add = (name: string, path: string, sha256: string): void => {
    const other = names.get(name);
    if (other !== undefined && other.sha256 !== sha256)
      throw refused(
        path,
        options,
        `its file ${name} is that of ${shown(other.path)} too, which has other bytes`,
      );
    if (other === undefined) names.set(name, { path, sha256 });
  };
  for (const { path, sha256 } of files) {
    const name = fileNameOf(path);
    assertName(name, path, options);
    add(name, path, sha256);
  }
  if (missing !== undefined) add("404.html", missing.path, missing.sha256);
  assertNoFileIsFolder(names, options);
  return [...names].map(([name, { path }]) => ({
    file: `${options.folder}${name}`,
    path,
    encoding: "identity",
  }));
}

function assertName(name: string, path: string, options: TreeOptions): void {
  const [top = ""] = name.split("/");
  if (options.reserved.includes(top)) throw refused(path, options, `${top} is a name of the host's own`);
  if (name.split("/").some((segment) => new TextEncoder().encode(segment).length > 255))
    throw refused(path, options, "a part of it is longer than the 255 bytes of a file's name");
}

function assertNoFileIsFolder(names: ReadonlyMap<string, { path: string }>, options: TreeOptions): void {
  for (const [name, { path }] of names) {
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
      const other = names.get(name.slice(0, at));
      if (other !== undefined)
        throw refused(path, options, `${shown(other.path)} would have to be a file and a folder at once`);
    }
  }
}

/** An error about a path that only this host can't have. */
export function refused(path: string, { host }: Pick<TreeOptions, "host">, why: string) {
  return hostsError(
    "HOSTS_PATH_REFUSED",
    `${host} can't serve ${shown(path)}: ${why}.`,
    "Rename it, or choose a host that looks paths up in a table: nginx or caddy",
  );
}
