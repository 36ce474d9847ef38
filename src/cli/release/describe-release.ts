/** A release, as commands speak of it. */
export interface NamedRelease {
  /** The pack. */
  readonly file: string;
  /** SHA-256 of its manifest. */
  readonly release: string;
  /** Undefined where the release key is not. */
  readonly sequence: number | undefined;
  /** False: the site is this very release already. */
  readonly isNew: boolean;
  /** Signed with development keys. */
  readonly isDevelopment: boolean;
}

/** Where a release lies, what it is called and by whom it is signed. */
export function describeRelease({ file, release, sequence, isNew, isDevelopment }: NamedRelease): string {
  const name = release.slice(0, 12);
  if (sequence === undefined) {
    return `${file}\nNot signed: this machine does not hold the release key. Take it to the host:  npx curtainwall release export ${name} <file>`;
  }
  const keys = isDevelopment ? " with development keys" : "";
  return isNew
    ? `release ${sequence} (${name}), signed${keys}`
    : `release ${sequence} (${name}) is the site's already`;
}

/** `1,234 kB`. Not by `toLocaleString`, which loads all locales first: 28 ms. */
export const kilobytes = (bytes: number): string =>
  `${String(Math.round(bytes / 1000)).replace(/\B(?=(?:\d{3})+$)/g, ",")} kB`;
