import { z } from "zod";
import { defineStack, parseContract } from "../src/contract/index.ts";
import { buildSite } from "../src/site/index.ts";

/** Builds the site in the folder that is named, once: what `build.ts` measures. */
const contract = parseContract(
  defineStack({
    origin: "https://www.site.example",
    site: {
      content: "content",
      templates: "templates",
      assets: "public",
      collections: { pages: z.object({ title: z.string(), date: z.string() }) },
    },
  }),
);
await buildSite({ root: process.argv[2] ?? ".", contract });
