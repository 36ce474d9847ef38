import { Content, type PageProps } from "curtainwall/template";
import type { collections } from "../collections.ts";
import { Day } from "./Day.tsx";
import { Shell } from "./Shell.tsx";

/** One piece of news. */
export function page({ entry, origin }: PageProps<typeof collections, "news">) {
  const { title, description, date, author } = entry.data;
  return (
    <Shell title={title} description={description} path={entry.path} origin={origin} kind="post">
      <article class="column">
        <header class="head">
          <p class="kicker">
            <a href="/news/">From the bench</a>
          </p>
          <h1>{title}</h1>
          <p class="byline">
            <Day date={date} />, {author}
          </p>
        </header>
        <Content of={entry} class="prose" />
      </article>
    </Shell>
  );
}
