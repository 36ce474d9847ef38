import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { decodeRelease, defineStack, everyone, parseContract, upstream } from "../../src/contract/index.ts";
import type { Contract, Release } from "../../src/contract/index.ts";
import { buildSite } from "../../src/site/index.ts";
import type { SiteBuild } from "../../src/site/index.ts";

const shell = (body: string): string =>
  `
import { Content } from "curtainwall/template";
import { Shelf } from "./Shelf.island.tsx";
export function page({ entry }) {
  return <html lang="en"><head><title>{entry.data.title}</title><link rel="icon" href="data:," /></head><body>${body}</body></html>;
}`.replace('<link rel="icon" href="data:," />', "");

/** A site with one island, which asks for a list and shows it as text. */
const islandSite: Readonly<Record<string, string>> = {
  "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
  "content/notes/plain.md": "---\ntitle: Plain\n---\nNo island here.\n",
  "templates/pages.tsx": shell('<Content of={entry} /><Shelf title="Bread </script><b>" most={2} />'),
  "templates/notes.tsx": shell("<Content of={entry} />"),
  "templates/Shelf.island.tsx": `
import { createClient } from "curtainwall/client";
import { island } from "curtainwall/island";
import { useEffect, useState } from "preact/hooks";
import { z } from "zod";

const api = createClient();

export const Shelf = island("Shelf", { title: z.string().max(40), most: z.int().min(1) }, ({ title, most }) => {
  const [state, setState] = useState({ kind: "waiting" });
  const [clicks, setClicks] = useState(0);
  useEffect(() => {
    api("GET /api/products").then(
      ({ products }) => setState({ kind: "there", products }),
      ({ code, requestId, status, message }) => setState({ kind: "failed", text: [code, status, requestId, message].join(" ") }),
    );
  }, []);
  return (
    <section>
      <h2>{title}</h2>
      <p id="state" data-kind={state.kind}>{state.text ?? ""}</p>
      <ul>{state.products?.slice(0, most).map(({ id, name }) => <li key={id}>{name}</li>)}</ul>
      <button type="button" onClick={() => setClicks(clicks + 1)}>{clicks}</button>
    </section>
  );
});
`,
};

/** The contract of that site; it has a private route too. */
const islandContract = (): Contract =>
  parseContract(
    defineStack({
      origin: "https://www.site.example",
      site: {
        content: "content",
        templates: "templates",
        collections: { pages: z.object({ title: z.string() }), notes: z.object({ title: z.string() }) },
      },
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "GET /api/products": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({
            products: z.array(z.object({ id: z.string().max(40), name: z.string().max(80) })).max(10),
          }),
          to: "shop",
        },
        "GET /api/reviews": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({ html: z.array(z.string().max(100_000)).max(400) }),
          to: "shop",
        },
        "GET /api/margins": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({ secretMarginPercent: z.number() }),
          to: "shop",
        },
      },
    }),
  );

/** Builds that site with some files added or replaced. Packages resolve as in the repository. */
export async function buildIslandSite(
  context: TestContext,
  files: Readonly<Record<string, string>> = {},
): Promise<SiteBuild & { readonly unpacked: Release }> {
  const root = await mkdtemp(join(tmpdir(), "curtainwall-islands-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  await symlink(
    fileURLToPath(new URL("../../node_modules", import.meta.url)),
    join(root, "node_modules"),
    "junction",
  );
  for (const [path, text] of Object.entries({ ...islandSite, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const built = await buildSite({ root, contract: islandContract() });
  return { ...built, unpacked: await decodeRelease(built.release) };
}

/** A file of a release, as text; undefined when it has none such. */
export function textOf(release: Release, matching: string | RegExp): string | undefined {
  const file = release.manifest.files.find(({ path }) =>
    typeof matching === "string" ? path === matching : matching.test(path),
  );
  const [variant] = file?.variants ?? [];
  if (variant === undefined) return undefined;
  return new TextDecoder().decode(release.body.subarray(variant.offset, variant.offset + variant.length));
}

/** What the API of a test answers. */
export type ApiAnswer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves a release and an API on loopback, with the headers that the release declares. */
export async function serveRelease(
  context: TestContext,
  { manifest, body }: Release,
  api: ApiAnswer,
  change: (html: string) => string = (html) => html,
): Promise<string> {
  const files = new Map(manifest.files.map((file) => [file.path, file]));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname.startsWith("/api/")) return api(request, response);
    const file = files.get(pathname);
    const [variant] = file?.variants ?? [];
    if (file === undefined || variant === undefined) return void response.writeHead(404).end();
    const bytes = body.subarray(variant.offset, variant.offset + variant.length);
    const isPage = pathname.endsWith("/");
    response.writeHead(200, Object.fromEntries(file.headers));
    response.end(isPage ? change(new TextDecoder().decode(bytes)) : bytes);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  context.after(
    () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
