import { type Entry, Image } from "curtainwall/template";
import type { z } from "zod";
import type { collections } from "../collections.ts";
import { Price } from "./Price.tsx";

type Bread = Entry<z.output<typeof collections.breads>>;

/** Attributes of {@link BreadCards}. */
export interface BreadCardsProps {
  breads: readonly Bread[];
  /** The level of their titles, which depends on what stands above. */
  title: "h2" | "h3";
}

/** All breads, as cards, in the order that the shelf has. */
export function BreadCards({ breads, title: Title }: BreadCardsProps) {
  return (
    <ul class="cards">
      {breads
        .toSorted((left, right) => left.data.order - right.data.order)
        .map(({ slug, path, data }) => (
          <li key={slug} class="card">
            <Image src={`pictures/${data.picture}`} width={320} alt="" />
            <Title class="title">
              <a href={path}>{data.title}</a>
            </Title>
            <p>{data.description}</p>
            <Price product={data.product} />
          </li>
        ))}
    </ul>
  );
}
