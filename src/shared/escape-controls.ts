/** What JSON leaves as it is and a terminal or an editor obeys or hides: C1 controls, line separators, bidi, invisible and tag characters. */
const controls =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/** Writes what a terminal or an editor would obey or hide as the escapes of JSON. */
export const escapeControls = (json: string): string =>
  json.replace(controls, (match) =>
    [...Array(match.length).keys()]
      .map((index) => `\\u${match.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
