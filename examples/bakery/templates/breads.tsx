import { Content, Image, type PageProps } from "curtainwall/template";
import type { collections } from "../collections.ts";
import { Price } from "./Price.tsx";
import { Shell } from "./Shell.tsx";

/** One bread. */
export function page({ entry, collections: all, here }: PageProps<typeof collections, "breads">) {
  const { title, description, product, weightGrams, flours, allergens, baked, picture, pictureText } =
    entry.data;
  const others = all.breads
    .filter(({ slug }) => slug !== entry.slug)
    .toSorted((left, right) => left.data.order - right.data.order);
  return (
    <Shell title={title} description={description} here={here} kind="bread">
      <article class="bread wide">
        <div class="bread-picture">
          <Image src={`pictures/${picture}`} width={640} alt={pictureText} />
        </div>
        <div class="bread-words">
          <p class="kicker">
            <a href="/breads/">Breads</a>
          </p>
          <h1>{title}</h1>
          <Price product={product} />
          <Content of={entry} class="prose" />
          <dl class="facts">
            <dt>Weight</dt>
            <dd>{weightGrams} g</dd>
            <dt>Flour</dt>
            <dd>{flours.join(", ")}</dd>
            <dt>Contains</dt>
            <dd>{allergens.length === 0 ? "none of the fourteen" : allergens.join(", ")}</dd>
            <dt>Out of the oven</dt>
            <dd>{baked}</dd>
          </dl>
        </div>
      </article>
      <nav class="wide others" aria-label="Other breads">
        <h2>Also on the shelf</h2>
        <ul>
          {others.map(({ slug, path, data }) => (
            <li key={slug}>
              <a href={path}>{data.title}</a>
            </li>
          ))}
        </ul>
      </nav>
    </Shell>
  );
}
