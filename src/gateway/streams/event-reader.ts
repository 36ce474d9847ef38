/** One event as it came: its name, its data with line ends joined by `\n`, its id if it has one. */
export interface RawEvent {
  readonly name: string;
  readonly data: string;
  /** Undefined: none was given. Empty: what was given before is taken back. */
  readonly id: string | undefined;
}

/** Takes bytes and tells the events in them. */
export interface EventReader {
  /** False: an event was larger than is read, or is no UTF-8; nothing more may be given. */
  push(bytes: Uint8Array): boolean;
}

/** Longest id that is passed on. */
const maxIdLength = 128;

/**
 * Reads a stream of server-sent events. What is kept is bounded: the part of one event that is not complete yet.
 *
 * @see WHATWG HTML §9.2.6 (interpreting an event stream)
 */
export function createEventReader(maxEventBytes: number, onEvent: (event: RawEvent) => void): EventReader {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let size = 0;
  let name = "";
  let data: string[] = [];
  let id: string | undefined;

  function takeLine(line: string): void {
    if (line === "") return dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const start = line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1;
    const value = colon < 0 ? "" : line.slice(start);
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "id" && isId(value)) id = value;
  }

  function dispatch(): void {
    size = 0;
    if (data.length > 0) onEvent({ name: name === "" ? "message" : name, data: data.join("\n"), id });
    name = "";
    data = [];
    id = undefined;
  }

  return {
    push(bytes) {
      const text = decode(decoder, bytes);
      if (text === undefined) return false;
      const all = rest + text;
      let from = 0;
      for (;;) {
        const end = lineEnd(all, from);
        if (end < 0) break;
        size += end - from;
        if (size > maxEventBytes) return false;
        takeLine(all.slice(from, end));
        from = all.startsWith("\r\n", end) ? end + 2 : end + 1;
      }
      rest = all.slice(from);
      return size + rest.length <= maxEventBytes;
    },
  };
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** Where a line ends: LF, CR LF, or CR. A CR at the end waits, since an LF may follow. */
function lineEnd(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  const back = text.indexOf("\r", from);
  if (back < 0 || (feed >= 0 && feed < back)) return feed;
  return back === text.length - 1 ? -1 : back;
}

/** Visible ASCII: it comes back as a header. */
function isId(value: string): boolean {
  return value.length <= maxIdLength && /^[!-~]*$/.test(value);
}
