// How modules are read for the bundle.
import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "esbuild";
import { pastBarrels } from "./bundle-barrels.ts";

/** Our modules do nothing by being imported, and know themselves by the address of the plain module. */
export function ownModules(source: string): Plugin {
  const seen = Symbol("resolved once");
  return {
    name: "curtainwall-own-modules",
    setup(bundler) {
      // Entries too: what some of them export, others use a part of.
      bundler.onResolve({ filter: /^[./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        const isOwn =
          kind === "entry-point" ? path.startsWith(source + sep) : importer.startsWith(source + sep);
        if (pluginData === seen || !isOwn) return undefined;
        const resolved = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: seen });
        return { ...resolved, sideEffects: false };
      });
      bundler.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
        if (!path.startsWith(source + sep)) return undefined;
        const plain = `../${relative(source, path)
          .split(sep)
          .join("/")
          .replace(/\.tsx?$/, ".js")}`;
        return {
          contents: withPlainAddress(
            gated(path.startsWith(join(source, "cli") + sep), pastBarrels(path, readFileSync(path, "utf8"))),
            plain,
          ),
          loader: path.endsWith("x") ? "tsx" : "ts",
        };
      });
    },
  };
}

/** What the command's beginning loads later, and that has no package in it either. */
export const ungated: readonly string[] = ["./build-command", "./start"];

/** Where the command loads the rest of itself, it asks whether that may be the bundle's. */
function gated(isCommand: boolean, code: string): string {
  if (!isCommand) return code;
  return code.replaceAll(/\bimport\("(\.[^"]+)\.ts"\)/g, (statement, path: string) =>
    ungated.includes(path)
      ? statement
      : `(globalThis[Symbol.for("curtainwall.as-built")]?.() === false ? import(new URL("${path}.js", import.meta.url).href) : ${statement})`,
  );
}

function withPlainAddress(code: string, plain: string): string {
  const path = (name: string): string =>
    `process.getBuiltinModule("node:path").join(import.meta.dirname, ${JSON.stringify(name)})`;
  return code.replaceAll(/import\.meta\.(url|dirname|filename)\b/g, (_, member: string) => {
    if (member === "url") return `new URL(${JSON.stringify(plain)}, import.meta.url).href`;
    return path(member === "filename" ? plain : join(plain, ".."));
  });
}

/** What takes long to load of others' modules, and what is asked of them. */
const narrowed: Readonly<Record<string, string>> = {
  // As a module of ECMAScript its exports are read one by one when it is loaded, and one of them loads all of Node's own undici.
  "node:http": `module.exports = process.getBuiltinModule("node:http");`,
  // Half a megabyte, for the few pages whose scripts have to be read.
  "@babel/parser": `module.exports = { get parse() { return require("@babel/parser").parse; } };`,
  // Its index loads all of it: caches, cookies, mocks, WebSockets.
  undici: `module.exports = {
  get Pool() { return require("undici/lib/dispatcher/pool.js"); },
  get Agent() { return require("undici/lib/dispatcher/agent.js"); },
  get errors() { return require("undici/lib/core/errors.js"); },
  get request() { return require("undici/index.js").request; },
  get fetch() { return require("undici/index.js").fetch; },
};`,
};

/** Gives our modules what they use of others, each when it is used. */
export function onlyWhatIsUsed(root: string): Plugin {
  const names = new RegExp(`^(?:${Object.keys(narrowed).join("|")})$`);
  return {
    name: "curtainwall-only-what-is-used",
    setup(bundler) {
      bundler.onResolve({ filter: names }, ({ path, importer }) =>
        importer.startsWith(join(root, "src") + sep) ? { path, namespace: "narrowed" } : undefined,
      );
      bundler.onLoad({ filter: /./, namespace: "narrowed" }, ({ path }) => ({
        contents: narrowed[path] ?? "",
        resolveDir: root,
      }));
    },
  };
}
