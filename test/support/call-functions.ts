// Builds a site with a function for each runner beside this repository's own files, starts it, and calls both as a visitor does. Prints their answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFunctions } from "../../src/stack/functions/build-functions.ts";
import { loadContract, startStack } from "../../src/stack/index.ts";
import { httpsGet } from "./https-get.ts";
import { publish } from "./project.ts";

const config = `import { defineStack, everyone, fn } from "curtainwall";
import { z } from "zod";
const route = (to) => ({ access: everyone, limit: "99/min per client", response: z.object({ text: z.string() }), to });
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  functions: { light: {}, full: { runner: "node" } },
  routes: { "GET /api/light": route(fn("light")), "GET /api/full": route(fn("full")) },
});`;

const codes = {
  light: `export default defineFunction(() => ({ text: "from workerd" }));`,
  full: `export default defineFunction(() => ({ text: eval("'from Node'") }));`,
};

const parent = fileURLToPath(new URL("../../.curtainwall/test/", import.meta.url));
mkdirSync(parent, { recursive: true });
const root = mkdtempSync(join(parent, "closed-"));
try {
  mkdirSync(join(root, "functions"));
  writeFileSync(join(root, "curtainwall.config.ts"), config);
  for (const [name, code] of Object.entries(codes))
    writeFileSync(
      join(root, `functions/${name}.ts`),
      `import { defineFunction } from "curtainwall/functions";\n${code}`,
    );
  await buildFunctions(await loadContract(root));
  await publish(root, { "/": "<!doctype html><title>Home</title>" });
  const stack = await startStack({ path: root });
  try {
    const answers: Record<string, string> = { isolation: stack.isolation };
    for (const name of Object.keys(codes)) {
      const { status, body } = await httpsGet({
        host: "127.0.0.1",
        port: stack.port,
        name: "localhost",
        path: `/api/${name}`,
      });
      answers[name] = `${status} ${body}`;
    }
    console.log(JSON.stringify(answers));
  } finally {
    await stack.close();
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
