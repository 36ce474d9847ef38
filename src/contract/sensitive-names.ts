import type { Schema } from "./define/schema.ts";
import { walkSchema } from "./schema.ts";

/** What a field is called that must not leave, whatever the spelling: hashes of passwords, tokens that open an account, keys. */
const sensitive = new RegExp(
  [
    "^(old|new|current|user|hashed|encrypted)?(password|passwd|passphrase)(hash|hashed|digest|salt|bcrypt|history)?$",
    "^(password|email)?(reset|recovery|confirmation|activation|verification|magic)(password)?(token|code|hash)$",
    "^(client|shared|webhook|session|totp|otp|mfa|twofactor|jwt)?secret(key|hash)?$",
    "^(private|signing|encryption|secret|apisecret)key(pem)?$",
    "^(api|access|refresh|session|remember)(key|token)hash$",
    "^(backup|recovery)codes$",
    "^(cardnumber|cvv|cvc)$",
  ].join("|"),
);

/** Whether a field's name says that its value must not leave. */
export function isSensitiveName(name: string): boolean {
  return name.length <= 64 && sensitive.test(name.replaceAll(/[_\-. ]/g, "").toLowerCase());
}

/** Where a schema declares fields whose names say that their values must not leave. */
export function sensitiveFields(schema: Schema): string[] {
  const found: string[] = [];
  walkSchema(schema, (_, at, step) => {
    if (isSensitiveName(step)) found.push(at);
  });
  return found;
}
