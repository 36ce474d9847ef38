/** A file in a tar archive. */
export interface TarMember {
  readonly name: string;
  /** A tar archive encodes nothing. */
  readonly encoding: undefined;
  readonly bytes: Uint8Array;
}

/** What is in a tar archive, and why not all of it can be told. */
export interface TarList {
  readonly members: readonly TarMember[];
  readonly problems: readonly string[];
}

const block = 512;

/**
 * Whether bytes are a tar archive: by its header's checksum (all kinds since 1979), or by what POSIX.1 and GNU write at byte 257, with
 * the zero after it, which text that names it has not.
 */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= block && (hasMagic(bytes) || isHeader(bytes, 0));
}

/** Lists a tar archive's files, and what in it another program might read otherwise. */
export function listTar(bytes: Uint8Array, maxMembers: number): TarList {
  const members: TarMember[] = [];
  const problems: string[] = [];
  let longName: string | undefined;
  let at = 0;
  let ended = false;
  for (; at + block <= bytes.length;) {
    if (isZero(bytes, at, at + block)) {
      at += block;
      ended = true;
      continue;
    }
    const header = readHeader(bytes, at);
    if (typeof header === "string" || members.length === maxMembers) {
      problems.push(
        typeof header !== "string"
          ? `the tar archive has more than ${maxMembers} members`
          : ended
            ? "something stands behind the tar archive's end"
            : header,
      );
      return { members, problems };
    }
    const data = bytes.subarray(at + block, at + block + header.length);
    if (data.length < header.length) problems.push("the tar archive is cut short");
    if (header.kind === "L") longName = readText(data, 0, data.length);
    else if (header.kind === "x" || header.kind === "g") {
      const records = readText(data, 0, data.length);
      longName = /^\d{1,9} path=([^\n]*)$/m.exec(records)?.[1] ?? longName;
      if (/^\d{1,9} size=/m.test(records))
        problems.push("a member of the tar archive has its size elsewhere");
    } else if (header.kind !== "K") {
      members.push({ encoding: undefined, name: longName ?? header.name, bytes: data });
      longName = undefined;
    }
    at += block + Math.ceil(header.length / block) * block;
  }
  if (at < bytes.length && !isZero(bytes, at, bytes.length))
    problems.push("something stands behind the tar archive's end");
  return { members, problems };
}

interface Header {
  readonly name: string;
  readonly kind: string;
  /** Of its data, in bytes. */
  readonly length: number;
}

/** Files, links, devices and folders, and what says more about the next of them: longer names. */
const withData = new Set(["0", "\0", "7", "L", "K", "x", "g"]);
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);

/** A header, or why it can't be read: what another program might read otherwise is not guessed at. */
function readHeader(bytes: Uint8Array, at: number): Header | string {
  if (!isHeader(bytes, at)) return "a header of the tar archive is garbled";
  const size = readText(bytes, at + 124, 12).trim();
  if (!/^[0-7]*$/.test(size)) return "a member of the tar archive has a size that can't be read";
  const length = Number.parseInt(size || "0", 8);
  const kind = String.fromCharCode(bytes[at + 156]!);
  if (!withData.has(kind) && !(withoutData.has(kind) && length === 0))
    return "a member of the tar archive is of a rare kind";
  const prefix = bytes[at + 262] === 0 ? readText(bytes, at + 345, 155) : "";
  const name = readText(bytes, at, 100);
  return { name: prefix === "" ? name : `${prefix}/${name}`, kind, length };
}

const hasMagic = (bytes: Uint8Array): boolean =>
  readText(bytes, 257, 5) === "ustar" && (bytes[262] === 0 || bytes[264] === 0);

/** The sum of a header's bytes, its own field read as spaces, as it is written there. */
function isHeader(bytes: Uint8Array, at: number): boolean {
  const written = bytes[at + 148]!;
  // Most bytes that are no header end here: octal digits, maybe after spaces, closed by a zero or a space.
  if (!(written === 0x20 || (written >= 0x30 && written <= 0x37)) || (bytes[at + 155]! & 0xdf) !== 0)
    return false;
  const text = readText(bytes, at + 148, 8).trim();
  if (!/^[0-7]{1,7}$/.test(text)) return false;
  let sum = 8 * 0x20;
  for (let index = at; index < at + block; index++)
    if (index < at + 148 || index >= at + 156) sum += bytes[index]!;
  return sum === Number.parseInt(text, 8);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (bytes[index] !== 0) return false;
  return true;
}

function readText(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
