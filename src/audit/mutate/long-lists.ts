import type { ValueMutant } from "./body.ts";
import { firstTooMany } from "./edges.ts";
import { isObject, label, replace } from "./json-place.ts";
import type { Json, Path } from "./json-place.ts";

/** Longer lists are no likelier to be looked at in another way. */
const maxElements = 200;

/**
 * Lists as long as they may be, in which the last element alone is wrong: what is looked at for a first element, or for the first few, is not
 * looked at for all.
 *
 * @param isRefused tells whether the schema refuses a whole body
 */
export function* mutateLongLists(
  body: Json,
  isRefused: (changed: Json) => boolean,
  value: Json = body,
  path: Path = [],
): Generator<ValueMutant> {
  if (path.length > 6) return;
  if (Array.isArray(value) && value.length > 0) {
    const list = longest(value, (changed) => isRefused(replace(body, path, changed)));
    const last = list.length - 1;
    for (const [what, kind, element] of wrongElements(list[last]))
      yield {
        name: `${label([...path, last])}, the last of ${list.length}, ${what}`,
        kind,
        value: replace(body, path, [...list.slice(0, last), element]),
      };
  } else if (isObject(value))
    for (const [key, entry] of Object.entries(value))
      yield* mutateLongLists(body, isRefused, entry, [...path, key]);
}

/** The list with its own elements again and again, as often as the schema lets them stand there. */
function longest(list: readonly Json[], isRefused: (changed: Json) => boolean): readonly Json[] {
  const tooMany = firstTooMany(list, isRefused, maxElements + 1)?.value as readonly Json[] | undefined;
  const length = Math.min(maxElements, tooMany === undefined ? maxElements : tooMany.length - 1);
  return Array.from({ length: Math.max(length, list.length) }, (_, index) => list[index % list.length]);
}

function* wrongElements(
  element: Json,
): Generator<readonly [what: string, kind: ValueMutant["kind"], element: Json]> {
  yield ["is null", "type", null];
  if (!isObject(element)) return;
  yield ["has a key that is not declared", "extra key", { ...element, undeclared: 1 }];
  for (const key of Object.keys(element)) yield [`has null for ${key}`, "type", { ...element, [key]: null }];
}
