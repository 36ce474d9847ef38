import type { ContractSite, ReleaseFile } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { islandSources } from "../../answers/island-sources.ts";
import type { IslandSources } from "../../answers/island-sources.ts";
import { scriptTexts } from "../../answers/script-texts.ts";
import { noRelease, see } from "../shared.ts";
import { routeMentions } from "./route-mentions.ts";
import type { RouteMention } from "./route-mentions.ts";
import { counted } from "../../../shared/index.ts";

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
  const script = exchange.response.text();
  if (exchange.response.status !== 200 || script === "")
    return tally.miss(`${path} was answered ${exchange.response.status}`);
  const served = scriptTexts(script, path)?.texts;
  if (served === undefined) return tally.miss(`${path} can't be read as a script`);
  const { told, unnamed, unclear } = compare(routeMentions(context.declaredRoutes), served, sources.texts);
  if (unnamed.length > 0 && sources.unread.length > 0)
    return tally.miss(`${name} imports what was not looked into (${sources.unread.join(", ")})`);
  if (unclear.length > 0)
    tally.miss(
      `${path}: texts that are put together at run time may be ${few(unclear)}, which its sources don't name`,
    );
  const about =
    unnamed.length === 0
      ? `${path} carries ${told} of ${counted(context.declaredRoutes.length, "route")}, as its sources do`
      : `${path} carries routes that none of its sources names: ${few(unnamed)}`;
  tally.expect(unnamed.length === 0, see(context, about, exchange));
}

const few = (names: readonly string[]): string =>
  `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

/** How what is served tells of routes. */
interface Comparison {
  /** How many keys stand there. */
  told: number;
  /** What stands there, and in no source. */
  unnamed: string[];
  /** What may come to be there, here or in the sources, when the script runs. */
  unclear: string[];
}

/** Holds the texts that are served against those of the sources. */
function compare(
  mentions: readonly RouteMention[],
  served: ReadonlySet<string>,
  sources: ReadonlySet<string>,
): Comparison {
  const isIn = (texts: ReadonlySet<string>, { isIn: holds }: RouteMention): boolean => [...texts].some(holds);
  const mayBeIn = (texts: Iterable<string>, { mayBe }: RouteMention): boolean => [...texts].some(mayBe);
  const carried = mentions.filter((mention) => isIn(served, mention));
  const inSources = mentions.filter((mention) => isIn(sources, mention));
  // Where a source names a path it names each key of it, and a key tells its path.
  const isNamed = ({ name, path }: RouteMention): boolean =>
    inSources.some(
      (mention) => mention.name === name || mention.name === path || (name === path && mention.path === path),
    );
  const unnamed = carried.filter((mention) => !isNamed(mention));
  const joined = served.difference(sources);
  const maybe = mentions.filter(
    (mention) => !carried.includes(mention) && !isNamed(mention) && mayBeIn(joined, mention),
  );
  const made = unnamed.filter((mention) => mayBeIn(sources, mention));
  const names = (list: readonly RouteMention[]): string[] => list.map(({ name }) => name);
  return {
    told: carried.filter(({ name, path }) => name !== path).length,
    unnamed: names(unnamed.filter((mention) => !made.includes(mention))),
    unclear: names([...made, ...maybe]),
  };
}
