/** A member of a ZIP archive. */
export interface ZipMember {
  readonly name: string;
  /** 0: as it is; 8: deflate. Others are told, not read. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly bytes: Uint8Array;
}

const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;

/**
 * Lists a ZIP archive by its directory, as programs that open it do: from its end record at `end`, whatever stands before the archive.
 *
 * @see APPNOTE.TXT 4.3
 * @returns undefined if it has no directory that can be read
 */
export function listZip(bytes: Uint8Array, end: number, maxMembers: number): ZipMember[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (end + 22 > bytes.length) return undefined;
  const count = view.getUint16(end + 10, true);
  // 0xffff entries or an offset of 0xffffffff: ZIP64, which no site needs.
  if (count > maxMembers || count === 0xffff) return undefined;
  if (count === 0) return [];
  const offset = view.getUint32(end + 16, true);
  // Places count from the archive's first byte, which what stands before it moves; or from the file's.
  const moved = end - view.getUint32(end + 12, true) - offset;
  const before = [moved, 0].find((shift) => shift >= 0 && isEntry(view, offset + shift));
  return before === undefined ? undefined : readDirectory(view, bytes, { count, offset, before });
}

/** Whether an end record can be one: text that names its four bytes is none. */
export function isEndRecord(bytes: Uint8Array, at: number): boolean {
  if (at + 22 > bytes.length) return false;
  const disk = bytes[at + 4]! | (bytes[at + 5]! << 8);
  return disk === 0 || disk === 0xffff;
}

const isEntry = (view: DataView, at: number): boolean =>
  at + 46 <= view.byteLength && view.getUint32(at, true) === directoryEntry;

interface Directory {
  readonly count: number;
  readonly offset: number;
  /** Bytes before the archive. */
  readonly before: number;
}

function readDirectory(
  view: DataView,
  bytes: Uint8Array,
  { count, offset, before }: Directory,
): ZipMember[] | undefined {
  const members: ZipMember[] = [];
  let at = offset + before;
  for (let index = 0; index < count; index++) {
    if (!isEntry(view, at)) return undefined;
    const member = readMember(view, bytes, at, before);
    if (member === undefined) return undefined;
    members.push(member);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return members;
}

function readMember(view: DataView, bytes: Uint8Array, at: number, before: number): ZipMember | undefined {
  const local = view.getUint32(at + 42, true) + before;
  const length = view.getUint32(at + 20, true);
  if (local + 30 > bytes.length || view.getUint32(local, true) !== localHeader) return undefined;
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + length > bytes.length) return undefined;
  const name = bytes.subarray(at + 46, at + 46 + view.getUint16(at + 28, true));
  return {
    name: new TextDecoder().decode(name),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    bytes: bytes.subarray(start, start + length),
  };
}
