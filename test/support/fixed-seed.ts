// Imported before the tests (`--import`): property tests draw the same cases in every run, so that CI does not fail by luck and
// a failure can be repeated. `npm run fuzz` draws new ones.
import fc from "fast-check";
import "./code-cache.ts";

if (process.env.CURTAINWALL_FUZZ === undefined) fc.configureGlobal({ seed: 20_261_122 });
