import type OpenIdProvider from "oidc-provider";

const { warn } = console;
// It takes a Node that is not a long-term release yet for one that is too old, and says so to whoever starts the example.
console.warn = (...words: unknown[]) => {
  if (!String(words[0]).includes("Unsupported runtime")) warn(...words);
};
const { Provider, errors, interactionPolicy } = await import("oidc-provider");
console.warn = warn;

type Provider = OpenIdProvider;
export { errors, interactionPolicy, Provider };
