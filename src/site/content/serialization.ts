/** How markup is written, everywhere. */
export const serialization = { characterReferences: { useNamedReferences: false } } as const;
