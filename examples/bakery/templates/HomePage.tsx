import { Content, Image, type PageProps } from "curtainwall/template";
import { breads } from "../collections.ts";
import type { collections } from "../collections.ts";
import { BreadCards } from "./BreadCards.tsx";
import { NewsList } from "./NewsList.tsx";
import { Stock } from "./Stock.island.tsx";

/** The first page: the street, the text, the breads, the latest news. */
export function HomePage({ entry, collections: all }: PageProps<typeof collections, "pages">) {
  return (
    <>
      <section class="hero">
        <div class="hero-words">
          <p class="kicker">{entry.data.kicker}</p>
          <h1>Slow bread from a hot, old oven.</h1>
          <Content of={entry} class="prose lead" />
          <p class="actions">
            <a class="button" href="/breads/">
              See the breads
            </a>
            <a class="quiet" href="/visit/">
              Find the shop
            </a>
          </p>
          <p class="open-now" data-open-now hidden />
        </div>
        <Image
          class="hero-picture"
          src="pictures/street.svg"
          alt="The bakery on the corner of Weir Lane before dawn: one lit window, smoke from the chimney, the river behind."
        />
      </section>
      <section class="band">
        <div class="wide">
          <h2>On the shelf this week</h2>
          <BreadCards breads={all.breads} title="h3" />
          <Stock breads={breads.map(({ id, name }) => ({ id, name }))} />
        </div>
      </section>
      <section class="wide">
        <h2>From the bench</h2>
        <NewsList posts={all.news} title="h3" most={2} />
      </section>
    </>
  );
}
