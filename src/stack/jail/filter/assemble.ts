/** One step of a filter in classic BPF, the language that seccomp takes. Labels name the step behind them; jumps lead forward only. */
export type Step =
  /** Loads 32 bits of the call's description ({@link callFields}). */
  | { readonly load: number }
  /** Compares what was loaded: equal to a number, at least it, or with any of its bits. Without a target it goes on with the next step. */
  | {
      readonly when: "equal" | "atLeast" | "anyOf";
      readonly value: number;
      readonly to?: string;
      readonly otherwise?: string;
    }
  | { readonly label: string }
  /** Ends with an answer to the kernel. */
  | { readonly answer: number };

/** Offsets in `struct seccomp_data`. Arguments have 64 bits; this is where their lower half lies on the little-endian processors that we know. */
export const callFields = {
  number: 0,
  processor: 4,
  argument: (index: number): number => 16 + 8 * index,
} as const;

/** What a filter can answer: let the call pass, or make it fail with an error number and without any effect. */
export const answers = {
  allow: 0x7fff_0000,
  fail: (errno: number): number => 0x0005_0000 | errno,
} as const;

const opcodes = { load: 0x20, answer: 0x06, equal: 0x15, atLeast: 0x35, anyOf: 0x45 } as const;
const instructionBytes = 8;
/** A jump's distance is one byte. */
const farthest = 255;

/**
 * Puts steps into the bytes that `bwrap --seccomp` reads: an array of `struct sock_filter`.
 *
 * @throws {RangeError} for a label that does not lie ahead, or too far
 * @see kernel documentation, `userspace-api/seccomp_filter`; `linux/filter.h`
 */
export function assemble(steps: readonly Step[]): Uint8Array<ArrayBuffer> {
  const places = new Map<string, number>();
  const instructions: { readonly step: Exclude<Step, { label: string }>; readonly at: number }[] = [];
  for (const step of steps) {
    if ("label" in step) places.set(step.label, instructions.length);
    else instructions.push({ step, at: instructions.length });
  }
  const distance = (from: number, label: string | undefined): number => {
    if (label === undefined) return 0;
    const far = (places.get(label) ?? -1) - from - 1;
    if (far < 0 || far > farthest) throw new RangeError(`There is no way from step ${from} to ${label}.`);
    return far;
  };
  const bytes = new Uint8Array(instructions.length * instructionBytes);
  const view = new DataView(bytes.buffer);
  for (const { step, at } of instructions) {
    const [code, then, otherwise, value] =
      "load" in step
        ? [opcodes.load, 0, 0, step.load]
        : "answer" in step
          ? [opcodes.answer, 0, 0, step.answer]
          : [opcodes[step.when], distance(at, step.to), distance(at, step.otherwise), step.value];
    view.setUint16(at * instructionBytes, code, true);
    view.setUint8(at * instructionBytes + 2, then);
    view.setUint8(at * instructionBytes + 3, otherwise);
    view.setUint32(at * instructionBytes + 4, value, true);
  }
  return bytes;
}
