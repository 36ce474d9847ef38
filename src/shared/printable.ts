/** What drives a terminal, begins a line, or reorders text: C0, DEL, C1, bidirectional controls, line separators. */
// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** What somebody else wrote, fit for a message or a terminal: bounded, each character that acts replaced by U+FFFD. */
export function printable(text: string, maxLength = 300): string {
  return text.slice(0, maxLength).replaceAll(acting, "\ufffd");
}
