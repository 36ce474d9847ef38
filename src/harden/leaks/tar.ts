/** A file in a tar archive. */
export interface TarMember {
  readonly name: string;
  /** A tar archive encodes nothing. */
  readonly encoding: undefined;
  readonly bytes: Uint8Array;
}

const block = 512;

/** Whether bytes are a tar archive (POSIX.1 ustar and GNU's). */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= block && readText(bytes, 257, 5) === "ustar";
}

/** Lists a tar archive's files. What is cut short or garbled ends the list. */
export function listTar(bytes: Uint8Array, maxMembers: number): TarMember[] {
  const members: TarMember[] = [];
  for (let at = 0; at + block <= bytes.length && members.length < maxMembers;) {
    if (readText(bytes, at + 257, 5) !== "ustar") break;
    const length = Number.parseInt(readText(bytes, at + 124, 12).trim() || "0", 8);
    if (!(length >= 0)) break;
    const prefix = readText(bytes, at + 345, 155);
    const name = readText(bytes, at, 100);
    const kind = bytes[at + 156];
    if (kind === 0x30 || kind === 0)
      members.push({
        encoding: undefined,
        name: prefix === "" ? name : `${prefix}/${name}`,
        bytes: bytes.subarray(at + block, at + block + length),
      });
    at += block + Math.ceil(length / block) * block;
  }
  return members;
}

function readText(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
