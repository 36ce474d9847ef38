/** What a field may be; each kind is told apart from the others. */
export type Field = string | number | bigint | Uint8Array | null;

const utf8 = new TextEncoder();
const nothing = new Uint8Array();
const kinds = { null: 0x6e, text: 0x74, bytes: 0x62, integer: 0x69 } as const;
/** A field's kind, and its length. */
const headBytes = 5;

/**
 * Writes a list of fields so that no two lists have the same bytes, and none is the beginning of another: their number, then each one's kind,
 * length and bytes. It is what names a record when it is sealed, and what the store's manifest is made of.
 */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  // Texts are encoded once, to know their length; everything is then written in place: a store's every cell goes through here.
  const contents = fields.map((field) => (typeof field === "string" ? utf8.encode(field) : field));
  const bytes = new Uint8Array(contents.reduce(addLength, 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fields.length);
  let at = 4;
  for (const [index, content] of contents.entries()) {
    bytes[at] = kindOf(fields[index]);
    if (typeof content === "number" || typeof content === "bigint") {
      view.setUint32(at + 1, 8);
      view.setBigInt64(at + headBytes, BigInt(content));
      at += headBytes + 8;
    } else {
      view.setUint32(at + 1, content?.length ?? 0);
      bytes.set(content ?? nothing, at + headBytes);
      at += headBytes + (content?.length ?? 0);
    }
  }
  return bytes;
}

function addLength(sum: number, content: Exclude<Field, string>): number {
  const isNumber = typeof content === "number" || typeof content === "bigint";
  return sum + headBytes + (isNumber ? 8 : (content?.length ?? 0));
}

function kindOf(field: Field | undefined): number {
  if (typeof field === "string") return kinds.text;
  if (field instanceof Uint8Array) return kinds.bytes;
  return field === null || field === undefined ? kinds.null : kinds.integer;
}
