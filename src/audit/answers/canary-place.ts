import type { ProbeResponse } from "../probes/probe.ts";

/** Where a planted text stands in an answer, in words: a header's name, or a JSON pointer (RFC 6901) into the body. Undefined: nowhere. */
export function canaryPlace(
  canary: string,
  { headers, text }: Pick<ProbeResponse, "headers" | "text">,
): string | undefined {
  const header = headers.find((pair) => pair.join(": ").includes(canary));
  if (header !== undefined) return `in the header ${header[0]}`;
  const body = text();
  const pointer = pointerTo(canary, body);
  if (pointer !== undefined) return pointer === "" ? "in the answer, which is a text" : `at ${pointer}`;
  return body.includes(canary) ? "in the body" : undefined;
}

/** The first value, or name, that holds a text. */
function pointerTo(canary: string, body: string): string | undefined {
  let values: [pointer: string, value: unknown][];
  try {
    values = [["", JSON.parse(body)]];
  } catch {
    return undefined;
  }
  // One after the other, however deep they stand.
  for (let next = values.pop(); next !== undefined; next = values.pop()) {
    const [pointer, value] = next;
    if (typeof value !== "object" || value === null) {
      if (String(value).includes(canary)) return pointer;
      continue;
    }
    const members = Object.entries(value).map(([name, member]): [string, string, unknown] => [
      name,
      `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      member,
    ]);
    const named = members.find(([name]) => name.includes(canary));
    if (named !== undefined) return named[1];
    for (const [, at, member] of members.toReversed()) values.push([at, member]);
  }
  return undefined;
}
