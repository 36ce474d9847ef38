/**
 * Compares two byte strings in a time that depends on the length of the first alone, and so tells nobody how much of a guess is right. The
 * one comparison for whatever a stranger may try out: signatures, codes, digests of keys.
 *
 * @param secret what is known; its length is no secret
 */
export function equalBytes(secret: Uint8Array, given: Uint8Array): boolean {
  let difference = secret.length ^ given.length;
  for (let index = 0; index < secret.length; index++)
    difference |= (secret[index] as number) ^ (given[index] ?? 0);
  return difference === 0;
}
