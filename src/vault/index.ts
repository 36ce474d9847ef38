export type { VaultErrorCode } from "./errors.ts";
export type {
  ImportChange,
  ImportOptions,
  ImportPlan,
  KeySource,
  LoadedKey,
  RewrapOptions,
  RewrapResult,
  SecretInfo,
  SecretValue,
  SigningPurpose,
  Vault,
  OpenVaultOptions,
  VersionInfo,
  VersionState,
  WitnessOptions,
} from "./types.ts";
