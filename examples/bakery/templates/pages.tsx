import { Content, type PageProps } from "curtainwall/template";
import type { collections } from "../collections.ts";
import { BreadCards } from "./BreadCards.tsx";
import { HomePage } from "./HomePage.tsx";
import { HoursTable } from "./HoursTable.tsx";
import { Shell } from "./Shell.tsx";

type Props = PageProps<typeof collections, "pages">;

/** A page of `content/pages/`; its `layout` says what stands below its text. */
export function page(props: Props) {
  const { entry, here } = props;
  const { title, description, layout, kicker } = entry.data;
  return (
    <Shell title={title} description={description} here={here} kind={layout}>
      {layout === "home" ? (
        <HomePage {...props} />
      ) : (
        <article class="column">
          <header class="head">
            {kicker === undefined ? null : <p class="kicker">{kicker}</p>}
            <h1>{title}</h1>
          </header>
          {layout === "signed-in" ? <SignInOutcome /> : null}
          <Content of={entry} class="prose" />
        </article>
      )}
      <Below {...props} />
    </Shell>
  );
}

/** How the sign-in ended; the script shows the one that fits. Without it, what is true either way. */
function SignInOutcome() {
  return (
    <>
      <p class="lead" data-sign-in="done">
        If you signed in, the login knows you now, and will not ask again for a while.
      </p>
      <p class="lead" data-sign-in="refused" hidden>
        You did not sign in, and that is fine: all of the site is open.
      </p>
    </>
  );
}

function Below({ entry, collections: all }: Props) {
  switch (entry.data.layout) {
    case "breads":
      return <BreadCards breads={all.breads} title="h2" />;
    case "visit":
    case "contact":
      return <HoursTable />;
    default:
      return null;
  }
}
