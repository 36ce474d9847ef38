// How modules are read for the bundle.
import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "esbuild";
import { pastBarrels } from "./bundle-barrels.ts";
import { assertTextsKept, replaceInCode } from "./bundle-texts.ts";

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
        return { contents: rewritten(source, path), loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

/** Several programs hold the same modules. */
const known = new Map<string, string>();

function rewritten(source: string, path: string): string {
  const before = known.get(path);
  if (before !== undefined) return before;
  const code = readFileSync(path, "utf8");
  const isCommand = path.startsWith(join(source, "cli") + sep);
  const after = withPlainAddress(gated(isCommand, byName(pastBarrels(path, code))), { source, path });
  if (after !== code) assertTextsKept(path, { before: code, after });
  known.set(path, after);
  return after;
}

/** What the command's beginning loads later, and that has no package in it either. */
export const ungated: readonly string[] = ["./build/build-command", "./start"];

/** Where the command loads the rest of itself, it asks whether that may be the bundle's. */
function gated(isCommand: boolean, code: string): string {
  if (!isCommand) return code;
  return code.replaceAll(/\bimport\("(\.[^"]+)\.ts"\)/g, (statement, path: string) =>
    ungated.includes(path)
      ? statement
      : `(globalThis[Symbol.for("curtainwall.as-built")]?.() === false ? import(new URL("${path}.js", import.meta.url).href) : ${statement})`,
  );
}

function withPlainAddress(code: string, { source, path }: { source: string; path: string }): string {
  const plain = `../${relative(source, path)
    .split(sep)
    .join("/")
    .replace(/\.tsx?$/, ".js")}`;
  const inFolder = (name: string): string =>
    `process.getBuiltinModule("node:path").join(import.meta.dirname, ${JSON.stringify(name)})`;
  return replaceInCode(code, /import\.meta\.(url|dirname|filename)\b/g, {
    path,
    replace(member) {
      if (member === "url") return `new URL(${JSON.stringify(plain)}, import.meta.url).href`;
      return inFolder(member === "filename" ? plain : join(plain, ".."));
    },
  });
}

/** What takes long to load of others' modules, and is asked of them: each name by itself, since a bundle holds all that is ever asked for. */
const narrowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Half a megabyte, for the few pages whose scripts have to be read.
  "@babel/parser": { parse: `require("@babel/parser").parse` },
  // Its index is all of it, 1.4 MB: caches, cookies, mocks, WebSockets.
  undici: {
    Pool: `require("undici/lib/dispatcher/pool.js")`,
    Agent: `require("undici/lib/dispatcher/agent.js")`,
    errors: `require("undici/lib/core/errors.js")`,
    // As the index has it, for a request that names its dispatcher. All of ours do.
    request: `(address, { dispatcher, ...options }) => {
      const { origin, pathname, search } = require("undici/lib/core/util.js").parseURL(address);
      const send = require("undici/lib/api/api-request.js");
      return send.call(dispatcher, { method: "GET", ...options, origin, path: pathname + search });
    }`,
    fetch: `require("undici/index.js").fetch`,
  },
};

/** As a module of ECMAScript its exports are read one by one when it is loaded, and one of them loads all of Node's own undici. */
const builtIn = "node:http";

const namesAsked = new RegExp(`^import \\{([^}]*)\\} from "(${Object.keys(narrowed).join("|")})";`, "gm");

/** Asks for a module by the names that are imported of it. */
function byName(code: string): string {
  return code.replaceAll(namesAsked, (_, list: string, module: string) => {
    const names = list.split(",").map((name) => name.trim().split(" as ")[0] ?? "");
    return `import {${list}} from "${module}#${names
      .filter((name) => name !== "")
      .sort()
      .join()}";`;
  });
}

/** Gives our modules what they use of others, each when it is used. */
export function onlyWhatIsUsed(root: string): Plugin {
  return {
    name: "curtainwall-only-what-is-used",
    setup(bundler) {
      bundler.onResolve({ filter: new RegExp(`^(?:${builtIn}$|.*#)`) }, ({ path, importer }) =>
        importer.startsWith(join(root, "src") + sep) ? { path, namespace: "narrowed" } : undefined,
      );
      bundler.onLoad({ filter: /./, namespace: "narrowed" }, ({ path }) => {
        if (path === builtIn) return { contents: `module.exports = process.getBuiltinModule("${builtIn}");` };
        const [module = "", names = ""] = path.split("#");
        const getters = names.split(",").map((name) => {
          const value = narrowed[module]?.[name];
          if (value === undefined)
            throw new Error(`say where ${name} of ${module} is, in tools/bundle-plugins.ts`);
          return `get ${name}() { return ${value}; }`;
        });
        return { contents: `module.exports = { ${getters.join(", ")} };`, resolveDir: root };
      });
    },
  };
}
