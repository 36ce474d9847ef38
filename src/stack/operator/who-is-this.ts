import { userInfo } from "node:os";

/** Whom histories and records name: what a command says of itself, not a proof. Behind sudo, who typed it. */
export function whoIsThis(): string {
  try {
    return process.env["SUDO_USER"] ?? userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
