import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** Notes which files are loaded as modules, packages' aside, until it is stopped. */
export function recordModules(): { paths: () => string[]; stop: () => void } {
  const paths = new Set<string>();
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      if (found.url.startsWith("file:")) {
        const path = fileURLToPath(found.url);
        if (!path.split("/").includes("node_modules")) paths.add(path);
      }
      return found;
    },
  });
  return { paths: () => [...paths], stop: () => hooks.deregister() };
}
