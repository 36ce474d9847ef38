import type { ContractSite, ReleaseFile } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { islandSources } from "../../island-sources.ts";
import type { IslandSources } from "../../island-sources.ts";
import { noRelease, see } from "../shared.ts";

const maxFileBytes = 4_194_304;

/** A module of an island, as the release has it: `/assets/_islands/Stock.2d711642b726b044.js`. */
const islandPath = /\/_islands\/([^/.]+)(?:\.[^/]*)?\.js$/;

const nameIn = ({ path }: ReleaseFile): string | undefined => islandPath.exec(path)?.[1];

const siteOf = ({ contract: { site } }: AuditContext): ContractSite | undefined =>
  site !== undefined && "templates" in site ? site : undefined;

/** Which routes there are, and what they answer, is told to visitors as far as a page's own sources do. */
export const islandRoutes: Check = {
  name: "an island carries the routes that its sources name, and no others",
  kind: "live",
  isSupporting: true,
  notApplicable: (context) => {
    if (siteOf(context) === undefined) return "the contract has no templates";
    if (context.declaredRoutes.length === 0) return "the contract declares no route";
    return context.release !== undefined && !context.release.manifest.files.some(nameIn)
      ? "the release has no island"
      : undefined;
  },
  run: async (context, tally) => {
    const site = siteOf(context);
    if (context.release === undefined || site === undefined) return tally.miss(noRelease(context));
    const islands = await islandSources(context.source, site.templates);
    for (const file of context.release.manifest.files) {
      const name = nameIn(file);
      if (name !== undefined)
        await judge(context, tally, { path: file.path, name, sources: islands.get(name) });
    }
  },
};

async function judge(
  context: AuditContext,
  tally: Tally,
  { path, name, sources }: { path: string; name: string; sources: IslandSources | undefined },
): Promise<void> {
  if (sources === undefined) return tally.miss(`no template here declares the island ${name}`);
  const exchange = await context.caller.send(
    { method: "GET", path: encodeURI(path), maxBytes: maxFileBytes },
    { name: "the release's files", burst: 1000, isPerUser: false },
  );
  const served = exchange.response.text();
  if (exchange.response.status !== 200 || served === "")
    return tally.miss(`${path} was answered ${exchange.response.status}`);
  const carried = context.declaredRoutes.map(({ key }) => key).filter((key) => names(served, key));
  const others = carried.filter((key) => !sources.texts.some((text) => names(text, key)));
  if (others.length > 0 && sources.unread.length > 0)
    return tally.miss(`${name} imports what was not looked into (${sources.unread.join(", ")})`);
  const about =
    others.length === 0
      ? `${path} carries ${carried.length} of ${context.declaredRoutes.length} routes, as its sources do`
      : `${path} carries routes that none of its sources names: ${others.slice(0, 5).join(", ")}${others.length > 5 ? ` and ${others.length - 5} more` : ""}`;
  tally.expect(others.length === 0, see(context, about, exchange));
}

/** Whether a route stands in a script, as a text of its own: one route's key begins like another's. */
const names = (script: string, key: string): boolean =>
  ['"', "'", "`"].some((quote) => script.includes(quote + key + quote));
