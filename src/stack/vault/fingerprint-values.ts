import { hash, randomBytes } from "node:crypto";
import { fingerprintsOf } from "../../harden/fingerprints.ts";
import type { ValueFingerprints, VersionedValue } from "../../harden/fingerprints.ts";
import { Secret } from "../../shared/index.ts";
import type { Vault } from "../../vault/index.ts";

/** What a store's current values are recognised by, wherever a build writes them. */
export function fingerprintValues(vault: Pick<Vault, "id" | "list" | "get">): ValueFingerprints {
  return fingerprintsOf(currentValues(vault), {
    salt: randomBytes(16),
    sha256: (bytes) => hash("sha256", bytes, "buffer"),
  });
}

function* currentValues(vault: Pick<Vault, "id" | "list" | "get">): Generator<VersionedValue> {
  for (const { name, current } of vault.list()) {
    const found = current === undefined ? undefined : vault.get(name);
    if (found === undefined) continue;
    const value = new Secret(
      Buffer.from(found.value.buffer, found.value.byteOffset, found.value.length).toString(),
    );
    found.value.fill(0);
    yield { name, version: `${vault.id} ${found.version}`, value };
  }
}
