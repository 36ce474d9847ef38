/** `cors` comes without types; this is what the bench uses of it. */
declare module "cors" {
  import type { RequestHandler } from "express";
  // oxlint-disable-next-line import/no-default-export -- as the package has it
  export default function cors(options: { origin: string }): RequestHandler;
}
