// Tells which packages a bundle was made of: to the program, which checks that they are still the ones, and to whoever reads it.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Metafile } from "esbuild";
import { ungated } from "./bundle-plugins.ts";
import type { BundledPackage } from "../src/stack/processes/as-built.ts";

/** The packages that a bundle was made of. This package is the first. */
export function packagesIn(metafile: Metafile, root: string): BundledPackage[] {
  const packages = [{ ...manifestOf(root), parent: -1 }];
  const places = new Map([["", 0]]);
  const placeOf = (folder: string, parent: number): number => {
    const known = places.get(folder);
    if (known !== undefined) return known;
    packages.push({ ...manifestOf(join(root, folder)), parent });
    places.set(folder, packages.length - 1);
    return packages.length - 1;
  };
  const importsOf = (input: string): string[] =>
    (metafile.inputs[input]?.imports ?? [])
      .filter(({ path, external }) => external !== true && path in metafile.inputs)
      .map(({ path }) => path);
  const own = Object.keys(metafile.inputs).filter((input) => folderOf(input) === "");
  // Ours first, so that a package that both we and another one import stands under ours.
  const pending = own.flatMap(importsOf).map((input) => ({ input, place: placeOf(folderOf(input), 0) }));
  const visited = new Set(own);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (visited.has(next.input)) continue;
    visited.add(next.input);
    for (const input of importsOf(next.input))
      pending.push({ input, place: placeOf(folderOf(input), next.place) });
  }
  return packages;
}

/** Holds the command to what it promises: that it begins without any package. */
export function assertLightBeginning(metafile: Metafile, folder: string, root: string): void {
  const begins = ["./main", ...ungated].map((path) => relative(root, join(folder, `${path}.ts`)));
  const pending = Object.entries(metafile.outputs)
    .filter(([, { entryPoint = "" }]) => begins.includes(entryPoint))
    .map(([output]) => output);
  if (pending.length < begins.length) throw new Error(`the bundle lacks one of ${begins.join(", ")}`);
  const seen = new Set(pending);
  for (let output = pending.pop(); output !== undefined; output = pending.pop()) {
    const part = metafile.outputs[output];
    const foreign = Object.keys(part?.inputs ?? {}).find((input) => folderOf(input) !== "");
    if (foreign !== undefined) throw new Error(`the command begins with ${foreign}`);
    for (const { path, kind, external } of part?.imports ?? []) {
      if (external === true || kind === "dynamic-import" || seen.has(path)) continue;
      seen.add(path);
      pending.push(path);
    }
  }
}

/** The folder of the package that a source belongs to: nothing for ours. */
const folderOf = (input: string): string =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? "";

const manifestOf = (folder: string): { name: string; version: string; license?: string } => {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  return { name, version };
};

/** Writes, into the bundles' folder, from which files of which packages each part is made, and the packages' licences. */
export function writeContents(metafiles: readonly Metafile[], root: string, folder: string): void {
  const outputs = metafiles.flatMap((metafile) => Object.entries(metafile.outputs));
  const parts = outputs.map(([output, { inputs, bytes }]) => [
    output.split("/").at(-1) ?? output,
    {
      bytes,
      from: Object.fromEntries(Object.entries(inputs).map(([input, part]) => [input, part.bytesInOutput])),
    },
  ]);
  writeFileSync(
    join(folder, "contents.json"),
    `${JSON.stringify(Object.fromEntries(parts), undefined, 1)}\n`,
  );
  const used = new Set(outputs.flatMap(([, { inputs }]) => Object.keys(inputs).map(folderOf)));
  used.delete("");
  const texts = [...used].sort().map((path) => {
    const { name, version } = manifestOf(join(root, path));
    return `${name} ${version}\n\n${licenceOf(join(root, path))}`;
  });
  writeFileSync(join(folder, "licenses.txt"), `${texts.join(`\n${"-".repeat(80)}\n`)}\n`);
}

function licenceOf(folder: string): string {
  const files = readdirSync(folder).filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name));
  const texts = files.sort().map((name) => readFileSync(join(folder, name), "utf8").trim());
  if (texts.length > 0) return texts.join("\n\n");
  const { license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { license?: string };
  return `License: ${license ?? "not stated"}`;
}
