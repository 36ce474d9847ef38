import type { AuditContext } from "../context.ts";
import { recogniseFrameworks, telltaleFiles } from "./recognise.ts";
import type { RecognisedFramework } from "./recognise.ts";

/** Looks at an ordinary answer and into the folder for what the target is made with. What can't be asked in time tells nothing. */
export async function lookForFrameworks(
  { wire, source, unreachable }: AuditContext,
  over: Promise<never>,
): Promise<RecognisedFramework[]> {
  const answer =
    unreachable === undefined
      ? await Promise.race([wire.send({ method: "GET", path: "/" }), over]).catch(() => undefined)
      : undefined;
  const texts = await Promise.all(telltaleFiles.map((file) => source.read(file)));
  return recogniseFrameworks({
    headers: answer?.headers ?? [],
    packageJson: await source.read("package.json"),
    files: telltaleFiles.filter((_, index) => texts[index] !== undefined),
  });
}
