import { existsSync } from "node:fs";
import { parsePublicKey } from "../../contract/index.ts";
import type { EnvelopeSigner, EnvironmentName, ReleasePublicKey } from "../../contract/index.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { CurtainwallError, revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { RewrapResult, SecretInfo, SigningPurpose, VersionInfo } from "../../vault/index.ts";
import { codeCacheFolder } from "../processes/code-cache.ts";
import type { StackErrorCode } from "../errors.ts";
import { assertStateUsable, stackFolders } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import { domainUser, findIsolation } from "../isolation/isolation.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { domainReady, firstInheritedFd, launchDomain } from "../processes/launch.ts";
import type { ToVault, VaultKey, VaultPlaces } from "../processes/messages.ts";
import { whoIsThis } from "../operator/who-is-this.ts";
import { openAsker } from "./asker.ts";
import type { Asker } from "./asker.ts";
import { openFrames } from "./frames.ts";
import type { AdminRequest, ImportView } from "./protocol.ts";
import { storeMissing } from "./store-missing.ts";
import { assertOwnStore } from "./store-owner.ts";
import { planVault, prepareVault } from "./vault-plan.ts";
import type { SiteOfVault } from "./vault-plan.ts";

/** Options of {@link withVault}. */
export interface WithVaultOptions {
  /** Whose secrets. */
  environment: EnvironmentName;
  /** What opens it, when the contract says that a passphrase does. */
  passphrase?: Secret | undefined;
  /** Makes the store if there is none. Default false. */
  create?: boolean;
  /** Exports or imports. Default false. */
  exchange?: boolean;
  /** The key that {@link VaultVisit.rewrap} changes to: read before the process gives up its rights. */
  rewrapWith?: VaultKey | undefined;
  /** Takes the store as it is, whatever the witness remembers: say why. */
  insecureAcceptWitness?: string | undefined;
  /** Called when a key was made, with its file. */
  onKeyMade?: (file: string) => void;
  /** What keeps the process apart. Default: the strongest that the machine offers. */
  isolation?: Isolation;
}

/** A vault that was started for one command. No value ever comes out of it. */
export interface VaultVisit {
  readonly pid: number;
  /** Once it resolves the value is on disk. */
  set(name: string, value: Uint8Array): Promise<VersionInfo>;
  list(): Promise<SecretInfo[]>;
  history(name: string): Promise<VersionInfo[]>;
  revoke(name: string, version: number | "all"): Promise<VersionInfo[]>;
  rewrap(): Promise<RewrapResult>;
  /** An armored age file. */
  export(recipients: readonly string[]): Promise<Uint8Array>;
  /** Says what an export would change; {@link applyImport} does it. */
  import(bytes: Uint8Array, identity: Secret, insecureAllowOther?: string): Promise<ImportView>;
  applyImport(): Promise<VersionInfo[]>;
  /** What the values are recognised by in what is published. */
  fingerprints(): Promise<ValueFingerprints>;
  /** Signs with a key that never leaves the vault; made when it is first asked for. */
  signer(purpose: SigningPurpose): Promise<EnvelopeSigner>;
  /** Takes an Ed25519 key over: PKCS#8, DER. */
  importKey(purpose: SigningPurpose, pkcs8: Uint8Array): Promise<ReleasePublicKey>;
}

/**
 * Starts a vault's process of a site, which nothing but this process can talk to, and ends it when `visit` is done.
 *
 * @throws {CurtainwallError} `STACK_VAULT_MISSING`, `STACK_VAULT_GONE`, `VAULT_KEY_UNDECLARED`, `STACK_PASSPHRASE_MISSING`, and what the vault says
 */
export async function withVault<Result>(
  loaded: SiteOfVault,
  {
    environment,
    passphrase,
    create = false,
    exchange = false,
    rewrapWith,
    insecureAcceptWitness,
    onKeyMade = () => undefined,
    isolation = findIsolation(),
  }: WithVaultOptions,
  visit: (vault: VaultVisit) => Promise<Result>,
): Promise<Result> {
  const folders = stackFolders(loaded.root);
  const plan = planVault(loaded, folders, { environment, passphrase });
  assertStateUsable(folders, "build");
  if (!create) assertStore(plan.places, folders);
  const user = isolation === "uid" ? domainUser("vault", loaded.root) : undefined;
  const { madeKey } = prepareVault(plan, folders, user);
  if (madeKey && plan.places.key.kind === "file") onKeyMade(plan.places.key.file);
  const process_ = launchDomain<ToVault>({
    domain: "vault",
    isolation,
    fds: ["pipe"],
    view: withKey(plan.view, rewrapWith),
    environment: {},
    codeCache: codeCacheFolder(folders, isolation),
    onLine: (line) => void process.stderr.write(`vault: ${line}\n`),
  });
  const by = whoIsThis();
  const { control, pipe, exited, kill, pid } = process_;
  try {
    control.send({
      type: "administer",
      ...plan.places,
      user,
      adminFd: firstInheritedFd,
      by,
      mayCreate: create,
      exchanges: exchange,
      rewrapWith,
      acceptWitness: insecureAcceptWitness,
    });
    await domainReady("vault", process_);
    if (pipe === undefined) throw new Error("the vault was given no pipe");
    return await visit({ pid, ...openVisit(openAsker<AdminRequest>(openFrames(pipe)), by) });
  } finally {
    control.send({ type: "stop" });
    const timer = setTimeout(kill, endTimeoutMs);
    await exited;
    clearTimeout(timer);
    pipe?.destroy();
  }
}

/** What only looks makes nothing, no key either. */
function assertStore({ file, environment }: VaultPlaces, folders: StackFolders): void {
  assertOwnStore(file, folders);
  if (!existsSync(file)) throw storeMissing(environment);
}

const endTimeoutMs = 5000;

/** A sandbox shows the new key too. */
function withKey(
  view: ReturnType<typeof planVault>["view"],
  key: VaultKey | undefined,
): ReturnType<typeof planVault>["view"] {
  const path = key?.kind === "file" ? key.file : key?.kind === "credential" ? key.directory : undefined;
  return path === undefined ? view : { ...view, readOnly: [...new Set([...view.readOnly, path])] };
}

function openVisit({ ask }: Asker<AdminRequest>, by: string): Omit<VaultVisit, "pid"> {
  const result = async <Type>(answer: Promise<{ result: unknown }>): Promise<Type> =>
    (await answer).result as Type;
  const keyOf = async (answer: Promise<{ result: unknown }>): Promise<ReleasePublicKey> => {
    const key = parsePublicKey(await result<string>(answer));
    if (key === undefined)
      throw new CurtainwallError<StackErrorCode>("STACK_VAULT_GONE", "The vault named no public key.");
    return key;
  };
  return {
    set: (name, value) => result(ask({ op: "set", name, by }, value)),
    list: () => result(ask({ op: "list" })),
    history: (name) => result(ask({ op: "history", name })),
    revoke: (name, version) => result(ask({ op: "revoke", name, version, by })),
    rewrap: () => result(ask({ op: "rewrap", by })),
    export: async (recipients) => (await ask({ op: "export", recipients })).bytes,
    import: (bytes, identity, insecureAllowOther) =>
      result(ask({ op: "import", identity: revealSecret(identity), insecureAllowOther }, bytes)),
    applyImport: () => result(ask({ op: "import-apply", by })),
    fingerprints: async () =>
      JSON.parse((await ask({ op: "fingerprints" })).bytes.toString()) as ValueFingerprints,
    signer: async (purpose) => ({
      publicKey: await keyOf(ask({ op: "public-key", purpose })),
      sign: async (message) => (await ask({ op: "sign", purpose }, message)).bytes,
    }),
    importKey: (purpose, pkcs8) => keyOf(ask({ op: "import-key", purpose, by }, pkcs8)),
  };
}
