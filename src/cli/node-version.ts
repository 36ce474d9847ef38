// The first that the command loads, on whatever Node it was started with: nothing is imported here, and no syntax is newer than `import`.

/** The contract is TypeScript, which Node reads by itself since this version. */
const oldestMajor = 24;
const oldestMinor = 12;

/** How somebody comes by a Node that will do. */
export const howToGetNode = `Install it from https://nodejs.org/en/download, or run one beside yours:  npx -p node@26 curtainwall …`;

/** Says what is wrong with a version of Node. Undefined: Curtainwall runs on it. */
export function nodeTooOld(version: string): string | undefined {
  const parts = version.split(".").map(Number);
  const major = parts[0] as number;
  if (major > oldestMajor || (major === oldestMajor && (parts[1] as number) >= oldestMinor)) return undefined;
  return `Curtainwall needs Node ${oldestMajor}.${oldestMinor} or later; this is ${version}`;
}
