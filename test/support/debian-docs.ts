import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Debian's documentation packages, thousands of pages by a dozen generators that nobody here wrote, and where their pages lie.
 * `.ci/run` unpacks them into the folder that `CURTAINWALL_DOCS` names:
 * `for p in …; do apt-get download $p && dpkg -x ${p}_*.deb $CURTAINWALL_DOCS/$p; done`
 */
export const debianDocs: Readonly<Record<string, string>> = {
  "python3.11-doc": "usr/share/doc/python3.11/html",
  "postgresql-doc-15": "usr/share/doc/postgresql-doc-15/html",
  "nodejs-doc": "usr/share/doc/nodejs/api",
  "git-doc": "usr/share/doc/git-doc",
  "mkdocs-doc": "usr/share/doc/mkdocs/html",
  "asciidoctor-doc": "usr/share/doc/asciidoctor-doc/html",
};

/** Where a package's pages are, or why a test that wants them is skipped. */
export function debianDocsFolder(name: string, folder: string): { skip: string | false; folder: string } {
  const root = process.env.CURTAINWALL_DOCS;
  const path = join(root ?? "", name, folder);
  if (root !== undefined && existsSync(path)) return { skip: false, folder: path };
  const reason = `${name} is not unpacked (CURTAINWALL_DOCS names the folder, test/support/debian-docs.ts says how)`;
  if (process.env.CURTAINWALL_REQUIRE_ALL === "1")
    throw new Error(`A test would be skipped, and CURTAINWALL_REQUIRE_ALL forbids that: ${reason}`);
  return { skip: reason, folder: "" };
}
