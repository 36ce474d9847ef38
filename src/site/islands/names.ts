/** Tells an island's file by its name: it is bundled for browsers, too. */
export const isIslandFile = (file: string): boolean => /\.island\.[jt]sx$/.test(file);

/** The name of an island's module among the assets. */
export const islandAsset = (name: string): string => `_islands/${name}.js`;

/** The one Trusted Types policy that a page of ours can have: the sanitiser makes it, for islands that show rich text. */
export const richTextPolicy = "curtainwall";
