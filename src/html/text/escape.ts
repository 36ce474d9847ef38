const references: Record<string, string> = {
  "&": "&amp;",
  '"': "&quot;",
  "<": "&lt;",
  ">": "&gt;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Writes a value so that it can stand between double quotes, in HTML and in XML: whoever reads it gets every character back. */
export function escapeAttribute(value: string): string {
  return value.replace(/[&"<>\t\n\r]/g, (character) => references[character] ?? character);
}

/** Writes text so that it can stand between tags, in HTML and in XML, and is not read as markup. Not for `<script>` or `<style>`. */
export function escapeText(value: string): string {
  return value.replace(/[&<>\r]/g, (character) => references[character] ?? character);
}
