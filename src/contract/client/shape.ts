/**
 * What JSON must look like, as JSON itself: small enough to travel in a page's script, and checked without Zod.
 * Made from a Zod schema by `shapeOf`.
 */
export type Shape =
  | "boolean"
  | "null"
  | readonly [
      "string",
      least: number,
      most: number | null,
      ...patterns: (readonly [source: string, flags: string])[],
    ]
  | readonly ["number", least: number | null, most: number | null, isWhole: 0 | 1]
  | readonly ["one of", ...values: (string | number | boolean | null)[]]
  | readonly ["list", item: Shape, least: number, most: number | null]
  | readonly ["tuple", items: readonly Shape[], rest: Shape | null]
  | readonly ["object", required: ShapeMembers, optional: ShapeMembers]
  | readonly ["record", key: Shape, value: Shape]
  | readonly ["either", readonly Shape[]]
  | readonly ["both", Shape, Shape]
  /** The shape with this number among the named ones: a schema that leads back to itself. */
  | readonly ["named", number];

/** An object's members, by name. */
export interface ShapeMembers {
  readonly [name: string]: Shape;
}

/** A shape and those that it names. */
export interface NamedShapes {
  readonly shape: Shape;
  readonly named: readonly Shape[];
}

/** Says where a value is not what its shape wants: `products[3].priceCents`. */
export interface ShapeFault {
  readonly at: string;
  readonly wanted: string;
}

/** What {@link fitShape} finds. */
export type Fitted =
  | { readonly value: unknown; readonly dropped: readonly string[]; readonly fault?: never }
  | { readonly fault: ShapeFault };

/**
 * Copies of a value what its shape declares. Members that the shape does not know are left behind and named in `dropped`, as the
 * gateway does with an upstream's; whatever else differs is a fault.
 */
export function fitShape({ shape, named }: NamedShapes, value: unknown): Fitted {
  const dropped: string[] = [];
  try {
    return { value: fit(shape, value, "", { named, dropped }), dropped };
  } catch (fault) {
    if (fault instanceof Misfit) return { fault: { at: fault.at || "the answer", wanted: fault.wanted } };
    throw fault;
  }
}

interface Fitting {
  readonly named: readonly Shape[];
  readonly dropped: string[];
}

/** Thrown while fitting only, to leave a deep value at once. */
class Misfit {
  readonly at: string;
  readonly wanted: string;

  constructor(at: string, wanted: string) {
    this.at = at;
    this.wanted = wanted;
  }
}

function fit(shape: Shape, value: unknown, at: string, fitting: Fitting): unknown {
  if (shape === "boolean") return when(typeof value === "boolean", value, at, "true or false");
  if (shape === "null") return when(value === null, value, at, "null");
  switch (shape[0]) {
    case "string":
      return fitString(shape, value, at);
    case "number":
      return fitNumber(shape, value, at);
    case "one of":
      return when(shape.indexOf(value as string, 1) > 0, value, at, "one of the declared values");
    case "list":
      return fitList(shape, value, at, fitting);
    case "tuple":
      return fitTuple(shape, value, at, fitting);
    case "object":
      return fitObject(shape, value, at, fitting);
    case "record":
      return fitRecord(shape, value, at, fitting);
    case "either":
      return fitEither(shape[1], value, at, fitting);
    case "both":
      return fitBoth(shape, value, at, fitting);
    case "named":
      return fit(fitting.named[shape[1]] as Shape, value, at, fitting);
  }
}

function when(holds: boolean, value: unknown, at: string, wanted: string): unknown {
  if (!holds) throw new Misfit(at, wanted);
  return value;
}

type Of<Kind extends string> = Extract<Shape, readonly [Kind, ...unknown[]]>;

function fitString([, least, most, ...patterns]: Of<"string">, value: unknown, at: string): unknown {
  const holds =
    typeof value === "string" &&
    value.length >= least &&
    (most === null || value.length <= most) &&
    patterns.every(([source, flags]) => new RegExp(source, flags).test(value));
  return when(holds, value, at, "a text as it was declared");
}

function fitNumber([, least, most, isWhole]: Of<"number">, value: unknown, at: string): unknown {
  const holds =
    typeof value === "number" &&
    (least === null || value >= least) &&
    (most === null || value <= most) &&
    (isWhole === 0 || Number.isSafeInteger(value));
  return when(holds, value, at, "a number as it was declared");
}

function fitList([, item, least, most]: Of<"list">, value: unknown, at: string, fitting: Fitting): unknown {
  const holds = Array.isArray(value) && value.length >= least && (most === null || value.length <= most);
  const list = when(holds, value, at, "a list as it was declared") as unknown[];
  return list.map((member, index) => fit(item, member, `${at}[${index}]`, fitting));
}

function fitTuple([, items, rest]: Of<"tuple">, value: unknown, at: string, fitting: Fitting): unknown {
  const holds =
    Array.isArray(value) && (rest === null ? value.length === items.length : value.length >= items.length);
  const list = when(holds, value, at, "a list as it was declared") as unknown[];
  return list.map((member, index) =>
    fit((items[index] ?? rest) as Shape, member, `${at}[${index}]`, fitting),
  );
}

function asObject(value: unknown, at: string): Record<string, unknown> {
  const holds = typeof value === "object" && value !== null && !Array.isArray(value);
  return when(holds, value, at, "an object") as Record<string, unknown>;
}

const inside = (at: string, name: string): string => (at === "" ? name : `${at}.${name}`);

function fitObject(
  [, required, optional]: Of<"object">,
  value: unknown,
  at: string,
  fitting: Fitting,
): unknown {
  const object = asObject(value, at);
  const fitted: [string, unknown][] = [];
  for (const [name, shape] of Object.entries(required)) {
    if (!Object.hasOwn(object, name)) throw new Misfit(inside(at, name), "to be there");
    fitted.push([name, fit(shape, object[name], inside(at, name), fitting)]);
  }
  for (const [name, shape] of Object.entries(optional))
    if (Object.hasOwn(object, name)) fitted.push([name, fit(shape, object[name], inside(at, name), fitting)]);
  for (const name of Object.keys(object))
    if (!Object.hasOwn(required, name) && !Object.hasOwn(optional, name))
      fitting.dropped.push(inside(at, name));
  // Defines each member, so that one called __proto__ is a member too.
  return Object.fromEntries(fitted);
}

function fitRecord([, key, member]: Of<"record">, value: unknown, at: string, fitting: Fitting): unknown {
  const entries = Object.entries(asObject(value, at)).map(([name, inner]) => {
    fit(key, name, inside(at, name), fitting);
    return [name, fit(member, inner, inside(at, name), fitting)] as const;
  });
  return Object.fromEntries(entries);
}

function fitEither(shapes: readonly Shape[], value: unknown, at: string, fitting: Fitting): unknown {
  let fault: unknown;
  for (const shape of shapes) {
    const before = fitting.dropped.length;
    try {
      return fit(shape, value, at, fitting);
    } catch (misfit) {
      if (!(misfit instanceof Misfit)) throw misfit;
      fitting.dropped.length = before;
      fault ??= misfit;
    }
  }
  throw shapes.length === 1 ? fault : new Misfit(at, "one of the declared shapes");
}

/** Each half drops what the other declares, so only what both drop was declared by neither. */
function fitBoth([, left, right]: Of<"both">, value: unknown, at: string, fitting: Fitting): unknown {
  const { named } = fitting;
  const [first, second] = [left, right].map((shape) => {
    const dropped: string[] = [];
    return { value: fit(shape, value, at, { named, dropped }), dropped };
  }) as [{ value: unknown; dropped: string[] }, { value: unknown; dropped: string[] }];
  fitting.dropped.push(...first.dropped.filter((name) => second.dropped.includes(name)));
  const areObjects = typeof first.value === "object" && first.value !== null && !Array.isArray(first.value);
  return areObjects ? { ...(first.value as object), ...(second.value as object) } : second.value;
}
