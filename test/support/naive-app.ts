import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { AuditMend } from "../../src/audit/index.ts";
import { faultTexts } from "../../src/audit/mends/faults.ts";
import type { Fault } from "../../src/audit/mends/faults.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** The app as it is. */
export const naiveFolder = join(repository, "examples/naive");

/** An app that runs. */
export interface RunningApp {
  address: string;
  stop(): Promise<void>;
}

/** Starts the app in a folder, or its login, at a port of its own. */
export async function startApp(
  folder: string,
  file: "server.js" | "login.js",
  environment: Record<string, string> = {},
): Promise<RunningApp> {
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: "0", LOGIN_PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    exited.then(() => {
      throw new Error(`the app in ${folder} did not start`);
    }),
  ])) as [string];
  const [address] = /http:\S+$/.exec(line) ?? [];
  if (address === undefined) throw new Error(`the app in ${folder} says no address: ${line}`);
  return {
    address,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** What the mends leave to whoever applies them: schemas, and where a function is called. */
export type Usage = Partial<Record<Region, string>>;

/** The marked parts of server.js. */
export type Region = (typeof regions)[number];

const regions = [
  "headers",
  "cors",
  "limits",
  "body",
  "tokens",
  "answers",
  "input",
  "access",
  "methods",
  "files",
  "errors",
  "server",
] as const;

const faultOf = (region: Region): Fault => (region === "server" ? "slow clients" : region);

const schemas = `
const Film = z.object({ id: z.string(), title: z.string(), minutes: z.int() });
const Ticket = z.object({ id: z.uuid(), userId: z.uuid(), film: z.string(), seat: z.string() });
const film = (row) => only(Film, row);
const ticket = (row) => only(Ticket, row);`;

const declarations = `
const declared = {
  userTickets: { params: z.strictObject({ user: z.uuid() }) },
  ticket: { params: z.strictObject({ id: z.uuid() }) },
  review: { body: z.strictObject({ film: z.string().min(1).max(40), text: z.string().min(1).max(2000) }) },
  search: { query: z.strictObject({ words: z.string().min(1).max(60) }) },
};`;

/** Says what an app on Express still has to say itself. */
export const expressUsage: Usage = {
  answers: schemas,
  input: declarations,
  access: 'const isOffice = (user) => hasRole(user, "office");',
  server: 'server.on("listening", () => console.log("http://127.0.0.1:" + server.address().port));',
};

/** Calls the functions for plain node:http, in the order that their mends name. */
export const nodeUsage: Usage = {
  tokens: `
const signedIn = async (request, response, next) => {
  request.user = await userOf(request.headers.authorization);
  return request.user === undefined ? refuse(response, 401) : next();
};`,
  answers: schemas,
  input: `${declarations}
const checked = (declared) => (request, response, next) =>
  isWellFormed(request.originalUrl) && isDeclared(request, declared) ? next() : refuse(response, 400);`,
  access: 'const isOffice = (user) => hasRole(user, "office");',
  files: `
app.use((request, response, next) => {
  const file = publicFile(request.url);
  return file === undefined ? next() : response.sendFile(file, (error) => error && next());
});`,
  server: `
app.disable("x-powered-by").set("etag", false);
async function listener(request, response) {
  setSecurityHeaders(response);
  if (answersCors(request, response)) return;
  if (isOtherMethod(request)) return refuse(response, 405);
  const waitMs = waitFor(request);
  if (waitMs > 0) response.setHeader("retry-after", String(Math.ceil(waitMs / 1000)));
  if (waitMs > 0) return refuse(response, 429);
  try {
    request.body = await readJson(request);
  } catch (error) {
    return refuse(response, error.status);
  }
  app(request, response, (error) => refuse(response, error ? (error.status ?? 500) : 404, error));
}
const server = createServer(times, listener);
endBroken(server);
server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));`,
};

/** A copy of the app in which each mistake's lines are replaced by what the audit says would mend it. */
export function mendedFolder(
  mends: readonly AuditMend[],
  usage: Usage,
): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-naive-"));
  cpSync(naiveFolder, folder, { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, "server.js");
  writeFileSync(file, mendSource(readFileSync(file, "utf8"), mends, usage));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function mendSource(source: string, mends: readonly AuditMend[], usage: Usage): string {
  let text = source;
  for (const region of regions) {
    const mend = mends.find(({ says }) => says === faultTexts[faultOf(region)]);
    if (mend === undefined) throw new Error(`the audit has no mend for ${region}`);
    const code = `${mend.code}\n${usage[region] ?? ""}`.replaceAll("process.env.PORT", '0, "127.0.0.1"');
    const marked = new RegExp(`// \\[${region}\\][^]*?// \\[/${region}\\]`);
    if (!marked.test(text)) throw new Error(`server.js marks no ${region}`);
    text = text.replace(marked, () => code);
  }
  text = text.replaceAll(/checked\("(\w+)"\)/g, "checked(declared.$1)");
  return importsFirst(text);
}

/** Mends name what they import, some of it twice. */
function importsFirst(text: string): string {
  const lines = text.split("\n");
  const isImport = (line: string): boolean => line.startsWith("import ");
  return [...new Set(lines.filter(isImport)), ...lines.filter((line) => !isImport(line))].join("\n");
}
