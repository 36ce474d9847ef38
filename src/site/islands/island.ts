import { Fragment, createContext, h } from "preact";
import type { ComponentType, JSX } from "preact";
import { useContext } from "preact/hooks";
import { z } from "zod";
import { fitShape, shapeOf } from "../../contract/index.ts";
import type { Fields, NamedShapes } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { asset } from "../template/asset.ts";
import { siteError } from "../errors.ts";
import { jsonText } from "../template/json-text.ts";
import { vouchForHtml } from "../template/safe-html.ts";
import { islandAsset } from "./names.ts";

/** What an island's template hands to it. */
export type IslandInput<Props extends Fields> = z.input<
  z.ZodObject<{ -readonly [K in keyof Props]: Props[K] }>
>;

/** What an island's component gets: at the build, and once more in the browser. */
export type IslandProps<Props extends Fields> = z.output<
  z.ZodObject<{ -readonly [K in keyof Props]: Props[K] }>
>;

/** An island stands in an island: the outer one brings it to life. */
const Inside = createContext(false);

/**
 * Makes a component an island: the build renders it into the page, and in the browser one module, allowed by its hash, brings it to
 * life. Each is exported under its own name from a file that ends in `.island.tsx`.
 *
 * `props` say what templates hand over. It travels as JSON and is checked on both sides, so it can be anything that JSON can say.
 *
 * @throws {CurtainwallError} `SITE_ISLAND_INVALID` when the props have no form in JSON; while rendering, when they don't fit.
 * @example
 * ```tsx
 * // templates/Counter.island.tsx
 * import { island } from "curtainwall/island";
 * import { useState } from "preact/hooks";
 * import { z } from "zod";
 *
 * export const Counter = island("Counter", { start: z.int() }, ({ start }) => {
 *   const [count, setCount] = useState(start);
 *   return <button onClick={() => setCount(count + 1)}>{count}</button>;
 * });
 * ```
 */
export function island<const Props extends Fields>(
  name: string,
  props: Props,
  component: ComponentType<IslandProps<Props>>,
): ComponentType<IslandInput<Props>> {
  const schema = z.strictObject({ ...props });
  const shapes = shapesOf(name, schema);
  const inner = component as ComponentType<Record<string, unknown>>;
  const Island = (given: object): JSX.Element => {
    const value = travel(name, schema, shapes, given);
    if (useContext(Inside)) return h(inner, value);
    const json = vouchForHtml(jsonText(value) ?? "", "json");
    return h(
      Fragment,
      null,
      h("div", { "data-island": name }, h(Inside.Provider, { value: true, children: h(inner, value) })),
      h("script", { type: "application/json", dangerouslySetInnerHTML: json }),
      h("script", { type: "module", src: moduleOf(name) }),
    );
  };
  known.set(Island, shapes);
  return Island as ComponentType<IslandInput<Props>>;
}

const known = new WeakMap<object, NamedShapes>();

/**
 * The shapes of an island's props.
 *
 * @throws {CurtainwallError} `SITE_ISLAND_INVALID` when `island()` made no such component.
 */
export function islandShapes(component: unknown): NamedShapes {
  const shapes = typeof component === "function" ? known.get(component) : undefined;
  if (shapes === undefined)
    throw siteError("SITE_ISLAND_INVALID", "an island is made by island() of curtainwall/island.");
  return shapes;
}

function shapesOf(name: string, schema: z.ZodType): NamedShapes {
  try {
    return shapeOf(schema);
  } catch (cause) {
    throw siteError("SITE_ISLAND_INVALID", `the island ${name} has props that JSON can't say.`, {
      hint: isCurtainwallError(cause)
        ? (cause.hint ?? cause.message)
        : "Hand over texts, numbers and lists of them",
      cause,
    });
  }
}

/** Props as they arrive in the browser. What would change on the way, or be refused there, is refused here. */
function travel(
  name: string,
  schema: z.ZodType,
  shapes: NamedShapes,
  given: object,
): Record<string, unknown> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.join(".") ?? "";
    throw siteError(
      "SITE_ISLAND_INVALID",
      `<${name}${at === "" ? "" : ` ${at}`}>: ${issue?.message ?? "invalid"}`,
      {
        hint: "The island's props are declared where it is made",
      },
    );
  }
  const fitted = fitShape(shapes, JSON.parse(jsonText(parsed.data) ?? "null"));
  if (fitted.fault !== undefined) {
    throw siteError(
      "SITE_ISLAND_INVALID",
      `<${name}>: ${fitted.fault.at} would not arrive in the browser as it was handed over.`,
      { hint: "JSON has no dates, no NaN and no undefined: hand over texts and numbers" },
    );
  }
  return fitted.value as Record<string, unknown>;
}

function moduleOf(name: string): string {
  try {
    return asset(islandAsset(name));
  } catch (cause) {
    if (!isCurtainwallError(cause, "SITE_ASSET_UNKNOWN")) throw cause;
    throw siteError("SITE_ISLAND_INVALID", `the island ${name} stands in no file that ends in .island.tsx.`, {
      hint: `Write  export const ${name} = island("${name}", …)  in ${name}.island.tsx`,
      cause,
    });
  }
}
