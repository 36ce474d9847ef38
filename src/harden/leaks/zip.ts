/** A member of a ZIP archive. */
export interface ZipMember {
  readonly name: string;
  /** 0: as it is; 8: deflate. Others are told, not read. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly bytes: Uint8Array;
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;

/**
 * Lists a ZIP archive by its directory, as programs that open it do.
 *
 * @see APPNOTE.TXT 4.3
 * @returns undefined if it has none that can be read
 */
export function listZip(bytes: Uint8Array, maxMembers: number): ZipMember[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(view);
  if (end === undefined) return undefined;
  const count = view.getUint16(end + 10, true);
  // 0xffff entries or an offset of 0xffffffff: ZIP64, which no site needs.
  if (count > maxMembers || count === 0xffff) return undefined;
  const members: ZipMember[] = [];
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directoryEntry) return undefined;
    const member = readMember(view, bytes, at);
    if (member === undefined) return undefined;
    members.push(member);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return members;
}

function findEnd(view: DataView): number | undefined {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= first; at--)
    if (view.getUint32(at, true) === endOfDirectory) return at;
  return undefined;
}

function readMember(view: DataView, bytes: Uint8Array, at: number): ZipMember | undefined {
  const local = view.getUint32(at + 42, true);
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
