import { hardenPage, serializePolicy } from "../../harden/index.ts";
import type { Directive, PagePolicy } from "../../harden/index.ts";
import { readPage } from "../../html/index.ts";
import { sha256, toBase64 } from "../../shared/index.ts";
import type { AssetShelf } from "./asset-shelf.ts";
import { siteError } from "../errors.ts";
import { richTextPolicy } from "../islands/names.ts";
import type { PageFacts } from "../checks/page-facts.ts";

/** What a page's policy depends on besides the page. */
export interface PolicyContext {
  readonly origin: string;
  /** The page's, decoded. */
  readonly path: string;
  readonly assets: Pick<AssetShelf, "view" | "island">;
  readonly hasApi: boolean;
  /** The page's source, for messages. */
  readonly file: string;
}

/**
 * The Content-Security-Policy of one page, made as `curtainwall harden` makes it for pages of any origin, and with less: the builder knows
 * the hash of no inline text but those that stand in the templates' sources, no file but the assets, and of scripts what their
 * makers declare. So nothing that came from content can be allowed, and nothing is left open.
 *
 * @param facts of the page, in which nothing may be wrong
 * @throws {CurtainwallError} `SITE_PAGE_UNSAFE` when that would allow an inline text that no template holds; `SITE_REFERENCE_FOREIGN` when
 *   it would allow another site
 * @see `docs/decisions/010-page-policy.md`, `docs/decisions/054-one-policy-builder.md`
 */
export async function pagePolicy(html: string, facts: PageFacts, context: PolicyContext): Promise<string> {
  const { origin, path, assets, file } = context;
  const hashes = await hashAll([...facts.inlineScripts, ...facts.inlineStyles]);
  const { policy } = hardenPage(
    facts.scan ?? readPage(new TextEncoder().encode(html), { charset: "utf-8" }),
    {
      path,
      declared: behaviourOf(facts, context),
      view: {
        origin,
        hash: (text) => hashes.get(text) ?? refuseText(text, file),
        find: (address) => assets.view(address),
        scriptsNamedIn: () => [],
      },
    },
  );
  assertOwn(policy, file);
  return serializePolicy(policy);
}

async function hashAll(texts: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(texts.map(async (text) => [text, toBase64(await sha256(text))] as const)));
}

/** Of an island it is known whether it calls the API and makes markup; of other scripts it is not, and they may only do the former. */
function behaviourOf(
  { references, inlineScripts }: PageFacts,
  { assets, hasApi }: PolicyContext,
): { readonly connects: boolean; readonly typesPolicies: readonly string[] } {
  const linked = references
    .filter(({ kind }) => kind === "script")
    .map(({ url }) => assets.island(url.pathname));
  const calls = inlineScripts.size > 0 || linked.some((island) => island?.calls ?? true);
  return {
    connects: hasApi && calls,
    typesPolicies: linked.some((island) => island?.makesHtml ?? false) ? [richTextPolicy] : [],
  };
}

/** What the directives of a page of ours may say, other than `'none'` and `'self'`. */
const others: Readonly<Partial<Record<Directive, RegExp>>> = {
  "script-src": /^'sha256-[A-Za-z0-9+/]{43}='$/,
  "style-src": /^'sha256-[A-Za-z0-9+/]{43}='$/,
  "require-trusted-types-for": /^'script'$/,
  "trusted-types": new RegExp(`^${richTextPolicy}$`),
};

/** Stylesheets can load in ways that only the builder sees. Whatever it saw, no other site is in a policy of ours, and no script by address. */
function assertOwn(policy: PagePolicy, file: string): void {
  for (const [directive, sources] of policy) {
    const allowed = sources.filter((source) => source !== "'none'");
    const odd = allowed.find((source) =>
      source === "'self'" ? directive === "script-src" : others[directive]?.test(source) !== true,
    );
    if (odd === undefined) continue;
    throw siteError("SITE_REFERENCE_FOREIGN", `its policy would have to say  ${directive} ${odd}.`, {
      place: { file },
      hint: "Look at the addresses in its stylesheets and at what its template loads: only the assets folder may be used",
    });
  }
}

function refuseText(text: string, file: string): never {
  throw siteError("SITE_PAGE_UNSAFE", `an inline text stands in no template's source: ${text.slice(0, 60)}`, {
    place: { file },
    hint: "Write scripts and styles as literals in the template",
  });
}
