import type { Check, Rule } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { printable } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { Ran } from "../probe.ts";
import { see } from "./shared.ts";

const variants = [
  ".env",
  ".env.local",
  ".env.development",
  ".env.test",
  ".env.staging",
  ".env.production",
  ".env.production.local",
  "config/.env",
];

/** A template without values may be kept, under these names. */
const isTemplate = (file: string): boolean => /\.(example|sample|template|dist)$/.test(file);
const isEnvFile = (file: string): boolean => /(^|\/)\.env(\.[^/]*)?$/.test(file) && !isTemplate(file);

async function git(context: AuditContext, args: readonly string[]): Promise<Ran | string> {
  const inside = await context.source.run("git", ["rev-parse", "--is-inside-work-tree"]);
  if (inside === undefined) return "git is not installed";
  if (inside.exitCode !== 0)
    return `git does not read the project: ${printable(inside.stderr.trim().split("\n")[0] ?? "", 200)}`;
  return (await context.source.run("git", args)) ?? "git is not installed";
}

const command = (
  about: string,
  program: string,
  args: readonly string[],
  { exitCode, stdout }: Ran,
): Evidence => ({
  kind: "command",
  about,
  command: [program, ...args.map((arg) => (/^[\w./=:@-]+$/.test(arg) ? arg : `'${arg}'`))].join(" "),
  exitCode,
  output: printable(stdout.trim()),
});

const ignored: Check = {
  name: "git ignores every variant",
  kind: "source",
  run: async (context, tally) => {
    for (const variant of variants) {
      const args = ["check-ignore", "--no-index", "-v", variant];
      const ran = await git(context, args);
      if (typeof ran === "string") return tally.miss(ran);
      // check-ignore also prints the pattern that re-includes a file, with exit code 0.
      const pattern = ran.stdout.split("\t")[0]?.split(":").slice(2).join(":") ?? "";
      tally.expect(
        ran.exitCode === 0 && !pattern.startsWith("!"),
        command(`${variant} is ignored`, "git", args, ran),
      );
    }
  },
};

const untracked: Check = {
  name: "none is tracked",
  kind: "source",
  run: async (context, tally) => {
    const args = ["ls-files", "--full-name", ":/"];
    const ran = await git(context, args);
    if (typeof ran === "string") return tally.miss(ran);
    if (ran.exitCode !== 0) return tally.miss("git ls-files failed");
    const found = ran.stdout.split("\n").filter(isEnvFile);
    tally.expect(
      found.length === 0,
      command(found.length === 0 ? "no .env file is tracked" : `tracked: ${found.join(", ")}`, "git", args, {
        ...ran,
        stdout: found.join("\n"),
      }),
    );
  },
};

const neverCommitted: Check = {
  name: "none is in git's history",
  kind: "source",
  run: async (context, tally) => {
    const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
    if (typeof shallow === "string") return tally.miss(shallow);
    if (shallow.stdout.trim() === "true")
      return tally.miss("the history is cut short (a shallow clone): git fetch --unshallow");
    const args = ["log", "--all", "--format=", "--name-only", "--diff-filter=A", "--", ":(top,glob)**/.env*"];
    const ran = await git(context, args);
    if (typeof ran === "string") return tally.miss(ran);
    if (ran.exitCode !== 0) return tally.miss("git log failed: is there a commit?");
    const found = [...new Set(ran.stdout.split("\n").filter(isEnvFile))];
    tally.expect(
      found.length === 0,
      command(
        found.length === 0 ? "no .env file was ever added" : `once added: ${found.join(", ")}`,
        "git",
        args,
        { ...ran, stdout: found.join("\n") },
      ),
    );
  },
};

const notPublished: Check = {
  name: "none is in the npm package",
  kind: "built",
  run: async (context, tally) => {
    const text = await context.source.read("package.json");
    if (text === undefined)
      return tally.pass({
        kind: "file",
        about: "there is no package.json, so nothing is published to npm",
        file: "package.json",
      });
    if ((JSON.parse(text) as { private?: unknown }).private === true)
      return tally.pass({
        kind: "file",
        about: "the package is private: npm refuses to publish it",
        file: "package.json",
        excerpt: '"private": true',
      });
    const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
    const ran = await context.source.run("npm", args);
    if (ran === undefined || ran.exitCode !== 0) return tally.miss("npm pack --dry-run did not run");
    const files = packedFiles(ran.stdout);
    if (files === undefined) return tally.miss("npm pack --dry-run gave no list of files");
    const found = files.filter(isEnvFile);
    tally.expect(
      found.length === 0,
      command(`${files.length} files would be published, ${found.length} of them .env`, "npm", args, {
        ...ran,
        stdout: found.join("\n"),
      }),
    );
  },
};

function packedFiles(json: string): string[] | undefined {
  const value = JSON.parse(json) as unknown;
  const packages = Array.isArray(value) ? value : Object.values(value as object);
  const files = (packages[0] as { files?: { path: string }[] } | undefined)?.files;
  return files?.map((file) => file.path);
}

const imageFiles = ["Dockerfile", "Containerfile", "docker-compose.yml", "compose.yaml"];

const notInImage: Check = {
  name: "none is in a container image",
  kind: "built",
  run: async (context, tally) => {
    for (const file of imageFiles) {
      if ((await context.source.read(file)) !== undefined)
        return tally.miss(`${file} builds an image, and reading images comes with deployment`);
    }
    tally.pass({ kind: "file", about: `no image is built: none of ${imageFiles.join(", ")}`, file: "." });
  },
};

const sensitive =
  /(^|\/)(\.env(\.[^/]*)?|\.git|\.htpasswd|\.htaccess|\.npmrc|\.ssh|id_rsa|[^/]*\.(?:map|pem|key|p12|sqlite|db|log|bak|swp))(\/|$)/i;

const notReleased: Check = {
  name: "none is in the release",
  kind: "built",
  run: async ({ release }, tally) => {
    if (release === undefined) return tally.miss("no release was given: build first, then audit with it");
    const { files } = release.manifest;
    const found = files.filter((file) => sensitive.test(file.path) && !file.path.startsWith("/.well-known/"));
    for (const file of found)
      tally.fail({
        kind: "file",
        about: `${file.path} is in the release`,
        file: file.path,
        sha256: file.variants[0]?.sha256 ?? "",
      });
    if (found.length === 0)
      tally.pass({
        kind: "measurement",
        about: `release ${release.digest.slice(0, 16)}: files that are .env, keys, maps or databases`,
        value: 0,
        unit: `of ${files.length} files`,
      });
  },
};

const hidden = [
  ...variants.map((variant) => `/${variant}`),
  "/.git/config",
  "/.git/HEAD",
  "/.gitignore",
  "/.htpasswd",
  "/.npmrc",
  "/.ssh/id_rsa",
  "/.DS_Store",
  "/package.json",
  "/curtainwall.config.ts",
  "/.curtainwall/",
  "/%2eenv",
  "/.env%00.html",
  "/..%2f.env",
  "/assets/../.env",
  "/.env/",
  "/.env~",
];

const notServed: Check = {
  name: "none is served",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const scripts = (context.release?.manifest.files ?? [])
      .map((file) => file.path)
      .filter((path) => /\.(js|mjs|css)$/.test(path));
    for (const path of [...hidden, ...scripts.map((script) => `${encodeURI(script)}.map`)]) {
      const exchange = await context.caller.send({ method: "GET", path });
      const { status } = exchange.response;
      // An encoded dot or NUL may also be refused as malformed.
      tally.expect(
        status === 404 || (status === 400 && /%|\.\./.test(path)),
        see(context, `${path} is not there (404)`, exchange),
      );
    }
  },
};

/** SEC-2: .env ignored. */
export const sec2: Rule = {
  id: "SEC-2",
  checks: [ignored, untracked, neverCommitted, notPublished, notInImage, notReleased, notServed],
};
