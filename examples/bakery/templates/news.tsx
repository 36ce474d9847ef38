import {
  Content,
  type ListPage,
  type ListProps,
  type PageProps,
  type TagProps,
  type TagsProps,
} from "curtainwall/template";
import type { ComponentChildren } from "preact";
import type { collections } from "../collections.ts";
import { Day } from "./Day.tsx";
import { NewsList } from "./NewsList.tsx";
import { Shell } from "./Shell.tsx";

type All = typeof collections;

/** One piece of news. */
export function page({ entry, here }: PageProps<All, "news">) {
  const { title, description, date, author } = entry.data;
  return (
    <Shell title={title} description={description} here={here} kind="post">
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
        <p class="small">
          Filed under{" "}
          {entry.tags.map(({ name, path }, index) => (
            <>
              {index > 0 ? ", " : null}
              <a href={path}>{name}</a>
            </>
          ))}
        </p>
      </article>
    </Shell>
  );
}

/** All news, the latest first. */
export function list({ page: shown, text, here }: ListProps<All, "news">) {
  const title = text?.data.title ?? "News";
  const nth = shown.number === 1 ? "" : `, page ${shown.number}`;
  return (
    <Shell title={title + nth} description={text?.data.description ?? title} here={here} kind="news">
      <Head kicker={text?.data.kicker ?? "News"} title={title}>
        {text === undefined ? null : <Content of={text} class="prose" />}
        <p class="small">
          <a href="/news/tags/">By subject</a> · <a href="/news/feed.xml">Feed</a>
        </p>
      </Head>
      <NewsList posts={shown.items} title="h2" />
      <Pages of={shown} />
    </Shell>
  );
}

/** News of one subject. */
export function tag({ tag: { name, count }, page: shown, here }: TagProps<All, "news">) {
  const title = `News: ${name}`;
  return (
    <Shell
      title={title}
      description={`What we wrote about ${name}, from the bench on Weir Lane.`}
      here={here}
      kind="news"
    >
      <Head kicker={`${count} ${count === 1 ? "piece" : "pieces"}`} title={title} />
      <NewsList posts={shown.items} title="h2" />
      <Pages of={shown} />
    </Shell>
  );
}

/** All subjects. */
export function tags({ tags: all, here }: TagsProps<All>) {
  return (
    <Shell
      title="News by subject"
      description="What we write about when the oven is cooling, by subject."
      here={here}
      kind="news"
    >
      <Head kicker="News" title="By subject">
        <ul>
          {all.map(({ name, path, count }) => (
            <li key={path}>
              <a href={path}>{name}</a>, {count}
            </li>
          ))}
        </ul>
      </Head>
    </Shell>
  );
}

function Head({ kicker, title, children }: { kicker: string; title: string; children?: ComponentChildren }) {
  return (
    <article class="column">
      <header class="head">
        <p class="kicker">
          <a href="/news/">{kicker}</a>
        </p>
        <h1>{title}</h1>
      </header>
      {children}
    </article>
  );
}

/** The way to older and newer news, once there are more than a page of them. */
function Pages({ of: { previous, next, number, total } }: { of: ListPage }) {
  if (total === 1) return null;
  return (
    <nav class="column" aria-label="Pages of news">
      {previous === undefined ? null : (
        <a rel="prev" href={previous}>
          Newer
        </a>
      )}{" "}
      {number} of {total}{" "}
      {next === undefined ? null : (
        <a rel="next" href={next}>
          Older
        </a>
      )}
    </nav>
  );
}
