import { Content, type PageProps } from "curtainwall/template";
import type { collections } from "../collections.ts";
import { BreadCards } from "./BreadCards.tsx";
import { HomePage } from "./HomePage.tsx";
import { HoursTable } from "./HoursTable.tsx";
import { NewsList } from "./NewsList.tsx";
import { Shell } from "./Shell.tsx";

type Props = PageProps<typeof collections, "pages">;

/** A page of `content/pages/`; its `layout` says what stands below its text. */
export function page(props: Props) {
  const { entry, origin } = props;
  const { title, description, layout, kicker } = entry.data;
  return (
    <Shell title={title} description={description} path={entry.path} origin={origin} kind={layout}>
      {layout === "home" ? (
        <HomePage {...props} />
      ) : (
        <article class="column">
          <header class="head">
            {kicker === undefined ? null : <p class="kicker">{kicker}</p>}
            <h1>{title}</h1>
          </header>
          <Content of={entry} class="prose" />
        </article>
      )}
      <Below {...props} />
    </Shell>
  );
}

function Below({ entry, collections: all }: Props) {
  switch (entry.data.layout) {
    case "breads":
      return <BreadCards breads={all.breads} title="h2" />;
    case "news":
      return <NewsList posts={all.news} title="h2" />;
    case "visit":
      return <HoursTable />;
    default:
      return null;
  }
}
