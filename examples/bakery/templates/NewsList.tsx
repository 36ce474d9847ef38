import type { Entry } from "curtainwall/template";
import type { z } from "zod";
import type { collections } from "../collections.ts";
import { Day } from "./Day.tsx";

type Post = Entry<z.output<typeof collections.news>>;

/** Attributes of {@link NewsList}. */
export interface NewsListProps {
  posts: readonly Post[];
  /** The level of their titles, which depends on what stands above. */
  title: "h2" | "h3";
  /** How many to show. Default: all. */
  most?: number;
}

/** News, the latest first. */
export function NewsList({ posts, title: Title, most = posts.length }: NewsListProps) {
  return (
    <ul class="news">
      {posts
        .toSorted((left, right) => (left.data.date < right.data.date ? 1 : -1))
        .slice(0, most)
        .map(({ slug, path, data }) => (
          <li key={slug}>
            <Day date={data.date} />
            <Title class="title">
              <a href={path}>{data.title}</a>
            </Title>
            <p>{data.description}</p>
          </li>
        ))}
    </ul>
  );
}
