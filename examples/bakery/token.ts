import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getToken } from "./login/get-token.ts";
import { demonstrationPassword, people } from "./people.ts";
import { explain } from "./service.ts";
import { apiAudience, caFile, readAddresses, root } from "./settings.ts";

const [username] = process.argv.slice(2);
try {
  if (!people.some((person) => person.username === username) || username === undefined)
    throw new Error(`Say whose token: ${people.map((person) => person.username).join(", ")}.`);
  const token = await getToken({
    issuer: readAddresses().loginUrl,
    ca: await readFile(join(root, caFile), "utf8"),
    username,
    password: demonstrationPassword,
    audience: apiAudience,
  });
  console.log(token);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
