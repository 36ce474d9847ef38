import type { Entry } from "curtainwall/template";
import type { z } from "zod";
import type { collections } from "../collections.ts";
import { Day } from "./Day.tsx";

type Post = Entry<z.output<typeof collections.news>>;

/** Attributes of {@link NewsList}. */
export interface NewsListProps {
  posts: readonly Post[];
  /** How many to show. Default: all. */
  most?: number;
}

/** News, the latest first. */
export function NewsList({ posts, most = posts.length }: NewsListProps) {
  return (
    <ul class="news">
      {posts
        .toSorted((left, right) => (left.data.date < right.data.date ? 1 : -1))
        .slice(0, most)
        .map(({ slug, path, data }) => (
          <li key={slug}>
            <Day date={data.date} />
            <h3>
              <a href={path}>{data.title}</a>
            </h3>
            <p>{data.description}</p>
          </li>
        ))}
    </ul>
  );
}
