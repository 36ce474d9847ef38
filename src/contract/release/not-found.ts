/**
 * Which page is sent with a 404, by folder: `/` has the one that the release names, `/de/` has `/de/404.html`. A page of that name needs no
 * other declaration, as on Cloudflare.
 *
 * @param root the path of the page for everything, if there is one
 */
export function notFoundPages<File extends { readonly path: string }>(
  files: Iterable<File>,
  root: string | undefined,
): ReadonlyMap<string, File> {
  const pages = new Map<string, File>();
  for (const file of files) {
    if (file.path === root) pages.set("/", file);
    else if (file.path.endsWith(name) && file.path.length > name.length)
      pages.set(file.path.slice(0, 1 - name.length), file);
  }
  return pages;
}

const name = "/404.html";

/**
 * Makes the look-up of what a missing path gets: that of its nearest folder. What a path costs depends on the longest folder, and not on the
 * path: who asks for what is not there must not choose the work.
 */
export function createNearest<Page>(byFolder: ReadonlyMap<string, Page>): (path: string) => Page | undefined {
  const longest = Math.max(0, ...[...byFolder.keys()].map(({ length }) => length));
  return (path) => {
    for (let at = path.lastIndexOf("/", longest - 1); at >= 0; at = path.lastIndexOf("/", at - 1)) {
      const page = byFolder.get(path.slice(0, at + 1));
      if (page !== undefined) return page;
      if (at === 0) return undefined;
    }
    return undefined;
  };
}
