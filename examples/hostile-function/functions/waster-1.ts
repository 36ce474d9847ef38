export { waster as default } from "../tricks/waste.ts";
