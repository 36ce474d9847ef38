/** What a file or a folder is kept for, by its name. */
export type PrivateKind = "environment" | "history" | "key" | "credentials" | "state";

/**
 * Tells from a path alone that what is there holds secrets, a history, or this platform's state. One list for what must not be published
 * and for what a build must not read. Upper and lower case are one; editors' and people's copies (`.env~`, `.npmrc.bak`) count as what
 * they are copies of.
 *
 * @param path relative, with `/`; a folder's ends with one
 */
export function privateKind(path: string): PrivateKind | undefined {
  const steps = path.toLowerCase().split("/");
  const name = steps.pop() ?? "";
  return kindOfFolders(steps.map((step) => step.trim())) ?? kindOfFile(withoutCopyMarks(name.trim()));
}

/** Whether a file is named as an example of an environment file, made to be read: `.env.example`. */
export function isExampleEnvironment(path: string): boolean {
  const name = path.toLowerCase().split("/").at(-1) ?? "";
  return /^\.env[._-](?:example|sample|template|dist|schema)$|^(?:example|sample|template)\.env$/.test(name);
}

const folders: Readonly<Record<string, PrivateKind>> = {
  ".git": "history",
  ".svn": "history",
  ".hg": "history",
  ".bzr": "history",
  ".jj": "history",
  _darcs: "history",
  ".ssh": "credentials",
  ".aws": "credentials",
  ".azure": "credentials",
  ".gnupg": "credentials",
  ".kube": "credentials",
  ".docker": "credentials",
  ".password-store": "credentials",
  ".terraform.d": "credentials",
  ".curtainwall": "state",
};

/** Programs that keep tokens below `.config/`. */
const configured = new Set([
  "gh",
  "glab-cli",
  "gcloud",
  "git",
  "hub",
  "op",
  "rclone",
  "doctl",
  "configstore",
]);

function kindOfFolders(steps: readonly string[]): PrivateKind | undefined {
  for (const [index, step] of steps.entries()) {
    if (Object.hasOwn(folders, step)) return folders[step];
    if (/^\.envs?(?:$|[.\-_~])/.test(step)) return "environment";
    if (step === ".config" && configured.has(steps[index + 1] ?? "")) return "credentials";
  }
  return undefined;
}

/** What editors and people add to a name for a copy, more than once too. */
function withoutCopyMarks(name: string): string {
  let rest = name.replace(/^\.?#+|#+$/g, "");
  for (;;) {
    const next = rest.replace(/(?:~|\.(?:bak|backup|orig|old|save|copy|tmp|rej|\d{1,3}))$/, "");
    const own = /^\.(.+)\.sw[a-p]$/.exec(next)?.[1] ?? next;
    if (own === rest) return own;
    rest = own;
  }
}

const credentials = new Set([
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".netrc",
  "_netrc",
  ".pgpass",
  ".my.cnf",
  ".htpasswd",
  ".htdigest",
  ".git-credentials",
  ".dockercfg",
  ".dockerconfigjson",
  ".s3cfg",
  ".boto",
  ".vault-token",
  ".terraformrc",
  "rclone.conf",
]);

const keyEndings = /\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|age)$|^secring\.|\.asc\.key$/;

function kindOfFile(name: string): PrivateKind | undefined {
  if (Object.hasOwn(folders, name)) return folders[name];
  if (isEnvironment(name)) return "environment";
  if (name === ".gitmodules" || /^\.[a-z]+_history$/.test(name)) return "history";
  if (
    keyEndings.test(name) ||
    (/^id_(?:rsa|dsa|ecdsa|ed25519)(?:$|[._-])/.test(name) && !name.endsWith(".pub"))
  )
    return "key";
  if (credentials.has(name) || /\.(?:tfstate(?:\..+)?|tfvars(?:\.json)?)$/.test(name)) return "credentials";
  return undefined;
}

const isEnvironment = (name: string): boolean =>
  /^\.env(?:$|[.\-_~]|rc$)|\.env$|^\.dev\.vars/.test(name) ||
  /^env\.(?:local|production|prod|staging|development|dev|test)(?:\.local)?$/.test(name);
