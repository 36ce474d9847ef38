export { thief as default } from "../tricks/thieve.ts";
