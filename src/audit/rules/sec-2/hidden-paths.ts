import { envFiles } from "./env-files.ts";

/** What editors, and people before they change a file, leave beside it: no rule that names `.env` alone keeps it back. */
const keptBeside = ["/.env.bak", "/.env.old", "/.env.save", "/.env.prod", "/.env.dev", "/.env~", "/.env.swp"];

/** From these a whole history, or each file's name and text, can be put together. */
const histories = [
  "/.git/config",
  "/.git/HEAD",
  "/.git/index",
  "/.git/logs/HEAD",
  "/.gitignore",
  "/.svn/entries",
  "/.svn/wc.db",
  "/.hg/store/00manifest.i",
];

/** Keys and passwords, where tools keep them in a home folder or a project's: there if one of these is served whole. */
const credentials = [
  "/.aws/credentials",
  "/.docker/config.json",
  "/.htpasswd",
  "/.netrc",
  "/.npmrc",
  "/.ssh/id_rsa",
  "/id_rsa",
  "/server.key",
];

/** What is said of how a site is made and run, with the names and often the passwords of what is behind it. */
const plans = [
  "/docker-compose.yml",
  "/docker-compose.yaml",
  "/Dockerfile",
  "/package.json",
  "/curtainwall.config.ts",
  "/curtainwall.audit.ts",
  "/.curtainwall/",
  "/.DS_Store",
  "/.vscode/settings.json",
];

/** What was taken out of a database, or of all, to be at hand for a moment. */
const copies = ["/backup.sql", "/dump.sql", "/database.sqlite", "/backup.zip", "/backup.tar.gz"];

/** The same in other words, for rules that compare paths as they are written. */
const spellings = ["/%2eenv", "/.env%00.html", "/..%2f.env", "/assets/../.env", "/.env/"];

/** Paths where a site has nothing, whatever it is: one request each. */
export const hiddenPaths: readonly string[] = [
  ...envFiles.map((variant) => `/${variant}`),
  ...keptBeside,
  ...histories,
  ...credentials,
  ...plans,
  ...copies,
  ...spellings,
];
