// The parts of css-tree that need none of its tables of the language, which are four fifths of it. Its types name only the whole.

declare module "css-tree/tokenizer" {
  export { tokenize, tokenTypes } from "css-tree";
}

declare module "css-tree/utils" {
  export { ident, string, url } from "css-tree";
}
