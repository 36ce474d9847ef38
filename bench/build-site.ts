import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../tools/bundle.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** Compiles this package and puts it into a folder with all that it needs, and optional packages, as an installation would. */
export async function install(folder: string, optional: readonly string[] = []): Promise<string> {
  const modules = join(folder, "node_modules");
  const own = join(modules, "curtainwall");
  mkdirSync(own, { recursive: true });
  cpSync(join(repository, "package.json"), join(own, "package.json"));
  const compiler = join(repository, "node_modules/typescript/bin/tsc");
  const options = ["-p", join(repository, "tsconfig.build.json"), "--outDir", join(own, "dist")];
  // What doesn't type-check is compiled all the same: that is for `npm run check` to tell.
  spawnSync(process.execPath, [compiler, ...options], { stdio: "ignore" });
  await bundle(repository, join(own, "dist"));
  const seen = new Set<string>();
  const pending = [...dependenciesOf(repository), ...optional];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const from = join(repository, "node_modules", name);
    if (seen.has(name) || !existsSync(from)) continue;
    seen.add(name);
    cpSync(from, join(modules, name), { recursive: true });
    pending.push(...dependenciesOf(from));
  }
  return own;
}

function dependenciesOf(folder: string): string[] {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as Partial<Record<string, Record<string, string>>>;
  return Object.keys({ ...dependencies, ...optionalDependencies });
}

/** Writes a site of so many Markdown pages with one template, and its contract. */
export function writeSite(site: string, pages: number): void {
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(site, name)), { recursive: true });
    writeFileSync(join(site, name), text);
  };
  for (let index = 0; index < pages; index++) write(`content/pages/page-${index}.md`, makePage(index, pages));
  write("public/site.css", "body { color: #222; font-family: sans-serif }\n".repeat(20));
  for (let index = 0; index < pictures; index++)
    write(
      `public/pictures/${index}.svg`,
      `<svg xmlns="http://www.w3.org/2000/svg" width="${index + 8}" height="8"><rect width="8" height="8"/></svg>`,
    );
  write("curtainwall.config.ts", contract);
  write("templates/pages.tsx", template);
}

const pictures = 16;

const contract = `import { defineStack } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://www.site.example",
  site: { content: "content", templates: "templates", assets: "public", collections: { pages: z.object({ title: z.string(), date: z.string() }) } },
});
`;

const template = `import { asset, Content } from "curtainwall/template";
export function page({ entry }) {
  return (
    <html lang="en">
      <head><meta charset="utf-8" /><title>{entry.data.title}</title><link rel="stylesheet" href={asset("site.css")} /></head>
      <body>
        <nav><a href="/page-0/">Home</a></nav>
        <main><h1>{entry.data.title}</h1><time dateTime={entry.data.date}>{entry.data.date}</time><Content of={entry} /></main>
      </body>
    </html>
  );
}
`;

/** The same page in Eleventy's own language. */
export const eleventyLayout =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><link rel="stylesheet" href="/site.css"></head><body><nav><a href="/page-0/">Home</a></nav><main><h1>{{ title }}</h1><time datetime="{{ date }}">{{ date }}</time><div>{{ content | safe }}</div></main></body></html>';

const words = readFileSync(import.meta.filename, "utf8").match(/[a-z]{3,9}/g) ?? [];

/** About 4 KB, with what people write: headings, links, lists, a picture, sometimes code and a table. */
function makePage(index: number, pages: number): string {
  const word = (at: number): string => words[(index * 31 + at * 7) % words.length] ?? "bread";
  const sentence = (at: number): string =>
    `${Array.from({ length: 12 }, (_, step) => word(at * 12 + step)).join(" ")}.`;
  const parts = [`---\ntitle: "Page ${index}"\ndate: "2026-09-02"\n---\n`];
  for (let part = 0; part < 4; part++) {
    const paragraph = [0, 1, 2, 3].map((line) => sentence(part * 8 + line)).join(" ");
    parts.push(
      `## Part ${part} of ${word(part)}\n`,
      `${paragraph} See **${word(part)}** and [a page](/page-${(index * 7 + part) % pages}/), or \`${word(part + 1)}()\`.\n`,
      `${paragraph}\n`,
      `- ${sentence(part)}\n- *${sentence(part + 1)}*\n`,
    );
  }
  parts.push(`![${word(3)}](/pictures/${index % pictures}.svg)\n`);
  if (index % 4 === 0)
    parts.push(
      "```js\nexport const loaves = ovens.map((oven) => oven.bake(12)); // in one go\n```\n",
      "| loaf | grams |\n|---|--:|\n| rye | 750 |\n",
    );
  return parts.join("\n");
}
