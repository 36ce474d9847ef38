import type { Check, Rule } from "../../check.ts";
import { commandEvidence, isEnvFile } from "./env-files.ts";
import { hiddenPaths } from "./hidden-paths.ts";
import { ignored, neverCommitted, untracked } from "./git.ts";
import { noRelease, notTheSite, see, withoutPages } from "../shared.ts";
import { counted } from "../../../shared/index.ts";

const notPublished: Check = {
  name: "none is in the npm package",
  kind: "built",
  run: async (context, tally) => {
    const text = await context.source.read("package.json");
    if (text === undefined) return tally.notApplicable("there is no package.json, so no npm package");
    if ((JSON.parse(text) as { private?: unknown }).private === true)
      return tally.notApplicable("the package is private, so npm refuses to publish it");
    const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
    const ran = await context.source.run("npm", args);
    if (ran === undefined || ran.exitCode !== 0) return tally.miss("npm pack --dry-run did not run");
    const files = packedFiles(ran.stdout);
    if (files === undefined) return tally.miss("npm pack --dry-run gave no list of files");
    const found = files.filter(isEnvFile);
    tally.expect(
      found.length === 0,
      commandEvidence(
        `${counted(files.length, "file")} would be published, ${found.length} of them .env`,
        "npm",
        args,
        {
          ...ran,
          stdout: found.join("\n"),
        },
      ),
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
    tally.notApplicable(`no image is built here: none of ${imageFiles.join(", ")}`);
  },
};

const sensitive =
  /(^|\/)(\.env(\.[^/]*)?|\.git|\.htpasswd|\.htaccess|\.npmrc|\.ssh|id_rsa|[^/]*\.(?:map|pem|key|p12|sqlite|db|log|bak|swp))(\/|$)/i;

const notReleased: Check = {
  name: "none is in the release",
  kind: "built",
  notApplicable: withoutPages,
  run: async (context, tally) => {
    const { release } = context;
    if (release === undefined) return tally.miss(noRelease(context));
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
        unit: `of ${counted(files.length, "file")}`,
      });
  },
};

const notServed: Check = {
  name: "none is served",
  kind: "live",
  attack: { kind: "verbs", promise: "site", per: "site" },
  isActive: true,
  run: async (context, tally) => {
    const stranger = await notTheSite(context);
    if (stranger !== undefined) tally.miss(stranger);
    const scripts = (context.release?.manifest.files ?? [])
      .map((file) => file.path)
      .filter((path) => /\.(js|mjs|css)$/.test(path));
    for (const path of [...hiddenPaths, ...scripts.map((script) => `${encodeURI(script)}.map`)]) {
      const exchange = await context.caller.send({ method: "GET", path });
      const { status } = exchange.response;
      // An encoded dot or NUL may also be refused as malformed.
      const holds = status === 404 || (status === 400 && /%|\.\./.test(path));
      const what = holds ? "is not there" : `is answered ${status}, and must not be there (404)`;
      tally.expect(holds, see(context, `${path} ${what}`, exchange));
    }
  },
};

/** SEC-2: .env ignored. */
export const sec2: Rule = {
  id: "SEC-2",
  checks: [ignored, untracked, neverCommitted, notPublished, notInImage, notReleased, notServed],
};
