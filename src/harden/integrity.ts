const token = /^(sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/;

/** The hashes in an `integrity` that browsers understand, without options. Others are ignored by them, and so are they here. */
export function integrityHashes(integrity: string | undefined): readonly string[] {
  return (integrity ?? "").split(/[\t\n\f\r ]+/).flatMap((part) => token.exec(part)?.[1] ?? []);
}

/** Tells whether an address names a version or a hash of its file, so that its bytes should not change. */
export function isVersioned(url: URL): boolean {
  return /[@/-]v?\d+\.\d+\.\d+|[./_-][0-9a-f]{8,}(?=[./_-]|$)/i.test(url.pathname);
}
