/** A server-sent event as it came. */
export interface SeenEvent {
  /** `message` where it says none. */
  name: string;
  data: string;
  /** Names of its lines that are no part of an event. */
  otherFields: readonly string[];
}

/**
 * Reads the events of a stream; the last one, if it has not ended, is left out. Blocks without data are none, as a browser has it: comments, and
 * what only keeps the connection open.
 *
 * @see WHATWG HTML §9.2.6
 */
export function readEvents(text: string): SeenEvent[] {
  const blocks = text
    .replace(/^\ufeff/, "")
    .replaceAll(/\r\n?/g, "\n")
    .split("\n\n");
  blocks.pop();
  return blocks.flatMap((block) => readEvent(block) ?? []);
}

function readEvent(block: string): SeenEvent | undefined {
  let name = "";
  const data: string[] = [];
  const otherFields: string[] = [];
  for (const line of block.split("\n")) {
    if (line === "" || line.startsWith(":")) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field !== "id" && field !== "retry") otherFields.push(field);
  }
  if (data.length === 0) return undefined;
  return { name: name === "" ? "message" : name, data: data.join("\n"), otherFields };
}
