/** Where the program's memory has what. */
export const layout = {
  /** The names of tags that it may pass over, eight bytes each, in the slot of their hash. */
  names: 0,
  /** By an attribute's first letter: 0 to pass over it, {@link look}, or the second letter of the attribute that is looked for. */
  attributes: 8192,
  /** The same on `<a>`. */
  anchorAttributes: 8448,
  /** 1 for what `javascript:` may begin with. */
  scripts: 8704,
  page: 16_384,
} as const;

export const nameSlots = 1024;
/** With this factor no two of the names share a slot. */
export const nameFactor = 0xece068891bad4375n;
/** Of an attribute's name: that it is no letter, or the first of `href`. */
export const look = { always: 255, address: 1 } as const;

/** Of memory, in pages of 64 KiB. It doesn't grow. */
export const memoryPages = 20;
