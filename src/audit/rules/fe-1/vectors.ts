import { markCall } from "../../probes/probe.ts";

/** A text that runs where it is not encoded for the place that it stands in. */
export interface Vector {
  readonly name: string;
  /** Leaves this mark where it runs. */
  readonly mark: string;
  readonly text: string;
}

type Write = readonly [name: string, write: (call: string) => string];

/** Short, so that they fit into a name; few, since each ends several contexts. */
const writes: readonly Write[] = [
  ["an attribute's end and an image", (call) => `'"><img src=x onerror=${call}>`],
  [
    "ends of elements that hold text, and a drawing",
    (call) => `</title></textarea></script><svg onload=${call}>`,
  ],
  ["a script of its own", (call) => `--></style><script>${call}</script>`],
  ["an attribute beside", (call) => `" autofocus onfocus=${call} tabindex=1 x="`],
  ["a text's end in a script", (call) => `';${call}//";${call}//\`;${call}//\\`],
  ["a link that is a script", (call) => `javascript:${call}//`],
  ["Markdown", (call) => `[x](javascript:${call}) ![x](x"onerror="${call})`],
  ["a template's expression", (call) => `{{constructor.constructor('${call}')()}}\${${call}}`],
  [
    "markup that changes when it is parsed again",
    (call) => `<noscript><p title="</noscript><img src=x onerror=${call}>">`,
  ],
];

/** Each vector with a mark of its own. */
export const vectors = (mark: () => string): Vector[] =>
  writes.map(([name, write]) => {
    const said = mark();
    return { name, mark: said, text: write(markCall(said)) };
  });

/** A page of ours that makes each mistake: what does not run there would show nothing elsewhere. */
export function carelessPage(list: readonly Vector[]): string {
  const places = list.map(({ text }) => text);
  return `<!doctype html><title>Careless</title><body>${places
    .map((text) => `<p>${text}</p><input value="${text}"><a href="${text}">x</a><script>'${text}'</script>`)
    .join("")}</body>`;
}
