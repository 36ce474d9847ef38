/** Each is followed by its like alone, so that what a pattern asks for mostly holds: digits, letters of hexadecimal numbers, other letters. */
const alphabets = ["0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ"] as const;

/**
 * Another text of the same form: counts on from its end, as a mileometer does. Different counts give different texts, until all of its
 * letters and digits went round.
 */
export function otherText(text: string, count: number): string {
  const made = Array.from(text);
  let rest = count;
  for (let at = made.length - 1; at >= 0 && rest > 0; at--) {
    const letter = made[at] as string;
    const alphabet = alphabets.find((letters) => letters.includes(letter));
    if (alphabet === undefined) continue;
    made[at] = alphabet[(alphabet.indexOf(letter) + rest) % alphabet.length] as string;
    rest = Math.floor(rest / alphabet.length);
  }
  return made.join("");
}
