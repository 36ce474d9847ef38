import { printable } from "../evidence.ts";

/** What an app is made with, or served by. */
export type Framework =
  | "Next.js"
  | "NestJS"
  | "Astro"
  | "Fastify"
  | "Hono"
  | "Express"
  | "nginx"
  | "Caddy"
  | "Node.js";

/** A framework, and what it was recognised by. */
export interface RecognisedFramework {
  name: Framework;
  /** Where it shows: a header of an answer, a file, a line of package.json. */
  because: string;
}

/** What can be known of an app from its answers and its folder. */
export interface AppFacts {
  /** Of an ordinary answer; names in lower case. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Text of package.json, if there is one. */
  packageJson: string | undefined;
  /** Names of the files of {@link telltaleFiles} that there are. */
  files: readonly string[];
}

/** An app is named before what serves it, and a framework before the one that it is made on. */
const frameworks: readonly {
  name: Framework;
  dependency?: string;
  files?: readonly string[];
  header?: readonly [name: string, value: RegExp];
}[] = [
  {
    name: "Next.js",
    dependency: "next",
    files: ["next.config.ts", "next.config.js", "next.config.mjs"],
    header: ["x-powered-by", /^Next\.js/],
  },
  { name: "NestJS", dependency: "@nestjs/core", files: ["nest-cli.json"] },
  { name: "Astro", dependency: "astro", files: ["astro.config.mjs", "astro.config.ts", "astro.config.js"] },
  { name: "Fastify", dependency: "fastify" },
  { name: "Hono", dependency: "hono" },
  { name: "Express", dependency: "express", header: ["x-powered-by", /^Express/] },
  { name: "nginx", files: ["nginx.conf"], header: ["server", /^(nginx|openresty)/i] },
  { name: "Caddy", files: ["Caddyfile"], header: ["server", /^Caddy/] },
];

/** Files that tell what an app is made with. */
export const telltaleFiles: readonly string[] = frameworks.flatMap(({ files = [] }) => files);

/**
 * Recognises what an app is made with and served by: what answers first, then what lies in the folder. An app with a package.json that names none
 * of them is one on Node.js alone; what names Curtainwall is none of these, since its contract is what mends it.
 */
export function recogniseFrameworks({ headers, packageJson, files }: AppFacts): RecognisedFramework[] {
  const manifest = readManifest(packageJson);
  if (manifest?.dependencies.has("curtainwall") === true) return [];
  const found = frameworks.flatMap(
    ({ name, dependency = "", files: own = [], header }): RecognisedFramework[] => {
      const [said] =
        header === undefined
          ? []
          : headers.filter(([key, value]) => key === header[0] && header[1].test(value));
      if (said !== undefined) return [{ name, because: printable(said.join(": "), 100) }];
      if (manifest?.dependencies.has(dependency) === true)
        return [{ name, because: `package.json has ${dependency}` }];
      const file = own.find((one) => files.includes(one));
      return file === undefined ? [] : [{ name, because: `there is ${file}` }];
    },
  );
  const hasApp = found.some(({ name }) => name !== "nginx" && name !== "Caddy");
  if (hasApp || !/^(exec )?node /.test(manifest?.start ?? "")) return found;
  return [{ name: "Node.js", because: "package.json starts it with node, and names no framework" }, ...found];
}

interface Manifest {
  dependencies: ReadonlySet<string>;
  start: string;
}

function readManifest(text: string | undefined): Manifest | undefined {
  if (text === undefined) return undefined;
  try {
    const { dependencies = {}, scripts = {} } = JSON.parse(text) as {
      dependencies?: object;
      scripts?: { start?: unknown };
    };
    const { start } = scripts;
    return {
      dependencies: new Set(Object.keys(dependencies)),
      start: typeof start === "string" ? start : "",
    };
  } catch {
    return undefined;
  }
}
