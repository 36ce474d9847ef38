import { base62, crc32 } from "./crc32.ts";

/** A documented kind of token. */
export interface TokenRule {
  /** The rule's name after `token-`. */
  readonly id: string;
  /** What it is, with its article. */
  readonly what: string;
  /** How to make it worthless. */
  readonly rotate: string;
  /** What it begins with; each at least 3 characters. */
  readonly prefixes: readonly string[];
  /** What follows a prefix, anchored at its start. Repetitions have bounds. */
  readonly body: RegExp;
  /** Whether a token is one: by its checksum, if its kind has one. False: told as a note. */
  readonly check?: (prefix: string, body: string) => boolean;
  /** A `note` is told and does not fail: what is meant for browsers, or reaches test data only. Default `hit`. */
  readonly level?: "hit" | "note";
}

/** GitHub and npm: 30 random characters and their CRC-32 in base 62. */
const checksummed = (_: string, body: string): boolean => base62(crc32(body.slice(0, 30))) === body.slice(30);

const revokeAt = (where: string): string =>
  `Revoke it at ${where}, make a new one, and keep that on the server`;

/**
 * Tokens that their issuers describe, by what they begin with. Kinds without a mark of their own (a bare 32 hexadecimal digits) are
 * not here: they can't be told from a digest. Their values are found through `privateEnv`.
 */
export const tokenRules: readonly TokenRule[] = [
  {
    id: "github",
    what: "a GitHub token",
    rotate: revokeAt("github.com/settings/tokens"),
    prefixes: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    body: /^[A-Za-z0-9]{36}/,
    check: checksummed,
  },
  {
    id: "github-fine-grained",
    what: "a GitHub fine-grained token",
    rotate: revokeAt("github.com/settings/personal-access-tokens"),
    prefixes: ["github_pat_"],
    body: /^[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/,
  },
  {
    id: "gitlab",
    what: "a GitLab token",
    rotate: revokeAt("the token's page in GitLab"),
    prefixes: ["glpat-", "gldt-", "glrt-", "glptt-", "glsoat-", "glcbt-"],
    body: /^[\w-]{20,64}(?:\.[\w.-]{2,40})?/,
  },
  {
    id: "curtainwall",
    what: "a Curtainwall API key",
    rotate: "npx curtainwall api-key revoke …, then npx curtainwall api-key create",
    prefixes: ["cwk_"],
    body: /^[A-Za-z0-9]{46}/,
    check: (_, body) => base62(crc32(body.slice(0, 40))) === body.slice(40, 46),
  },
  {
    id: "npm",
    what: "an npm token",
    rotate: "npm token revoke …, then npm token create",
    prefixes: ["npm_"],
    body: /^[A-Za-z0-9]{36}/,
    check: checksummed,
  },
  {
    id: "pypi",
    what: "a PyPI token",
    rotate: revokeAt("pypi.org/manage/account"),
    prefixes: ["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
    body: /^[\w-]{50,300}/,
  },
  {
    id: "crates-io",
    what: "a crates.io token",
    rotate: revokeAt("crates.io/settings/tokens"),
    prefixes: ["cio"],
    body: /^[A-Za-z0-9]{32}/,
  },
  {
    id: "rubygems",
    what: "a RubyGems key",
    rotate: revokeAt("rubygems.org/profile/api_keys"),
    prefixes: ["rubygems_"],
    body: /^[0-9a-f]{48}/,
  },
  {
    id: "docker",
    what: "a Docker Hub token",
    rotate: revokeAt("app.docker.com/settings"),
    prefixes: ["dckr_pat_", "dckr_oat_"],
    body: /^[\w-]{27,40}/,
  },
  {
    id: "stripe",
    what: "a Stripe live key",
    rotate: "Roll it at dashboard.stripe.com/apikeys",
    prefixes: ["sk_live_", "rk_live_"],
    body: /^[A-Za-z0-9]{20,247}/,
  },
  {
    id: "stripe-test",
    what: "a Stripe test key",
    rotate: "Roll it at dashboard.stripe.com/test/apikeys",
    prefixes: ["sk_test_", "rk_test_"],
    body: /^[A-Za-z0-9]{20,247}/,
    level: "note",
  },
  {
    id: "stripe-webhook",
    what: "a Stripe webhook secret",
    rotate: "Roll the endpoint's secret at dashboard.stripe.com/webhooks",
    prefixes: ["whsec_"],
    body: /^[A-Za-z0-9+/]{32,88}/,
  },
  {
    id: "square",
    what: "a Square token",
    rotate: revokeAt("developer.squareup.com/apps"),
    prefixes: ["sq0atp-", "sq0csp-"],
    body: /^[\w-]{22,43}/,
  },
  {
    id: "shopify",
    what: "a Shopify token",
    rotate: revokeAt("the app's page in Shopify"),
    prefixes: ["shpat_", "shpca_", "shppa_", "shpss_"],
    body: /^[0-9a-fA-F]{32}/,
  },
  {
    id: "slack",
    what: "a Slack token",
    rotate: revokeAt("api.slack.com/apps"),
    prefixes: ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxc-", "xoxd-"],
    body: /^(?:\d{8,14}-){1,3}[A-Za-z0-9-]{16,120}/,
  },
  {
    id: "slack-app",
    what: "a Slack app token",
    rotate: revokeAt("api.slack.com/apps"),
    prefixes: ["xapp-"],
    body: /^\d-[A-Z0-9]{8,14}-\d{8,16}-[a-z0-9]{32,80}/i,
  },
  {
    id: "slack-webhook",
    what: "a Slack webhook address",
    rotate: revokeAt("api.slack.com/apps"),
    prefixes: ["hooks.slack.com/services/", "hooks.slack.com/workflows/"],
    body: /^[TA][A-Z0-9]{8,12}\/[AB][A-Z0-9]{8,12}\/[A-Za-z0-9]{20,32}/,
  },
  {
    id: "discord-webhook",
    what: "a Discord webhook address",
    rotate: "Delete the webhook in the channel's settings",
    prefixes: ["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
    body: /^\d{17,20}\/[\w-]{60,80}/,
  },
  {
    id: "telegram",
    what: "a Telegram bot token",
    rotate: "Send /revoke to @BotFather",
    prefixes: [":AAA", ":AAB", ":AAC", ":AAD", ":AAE", ":AAF", ":AAG", ":AAH"],
    body: /^[\w-]{32}/,
  },
  {
    id: "google-api",
    what: "a Google API key",
    rotate:
      "If it is meant for browsers, restrict it to this site's address at console.cloud.google.com/apis/credentials and add an exception; else replace it there",
    prefixes: ["AIza"],
    body: /^[\w-]{35}/,
  },
  {
    id: "google-oauth",
    what: "a Google OAuth client secret",
    rotate: "Add a new secret and disable this one at console.cloud.google.com/auth/clients",
    prefixes: ["GOCSPX-"],
    body: /^[\w-]{28}/,
  },
  {
    id: "openai",
    what: "an OpenAI key",
    rotate: revokeAt("platform.openai.com/api-keys"),
    prefixes: ["sk-proj-", "sk-svcacct-", "sk-admin-"],
    body: /^[\w-]{20,100}T3BlbkFJ[\w-]{20,100}/,
  },
  {
    id: "anthropic",
    what: "an Anthropic key",
    rotate: revokeAt("platform.claude.com/settings/keys"),
    prefixes: ["sk-ant-"],
    body: /^[a-z]{3,10}\d{2}-[\w-]{80,120}/,
  },
  {
    id: "hugging-face",
    what: "a Hugging Face token",
    rotate: revokeAt("huggingface.co/settings/tokens"),
    prefixes: ["hf_"],
    body: /^[A-Za-z]{34}/,
  },
  {
    id: "groq",
    what: "a Groq key",
    rotate: revokeAt("console.groq.com/keys"),
    prefixes: ["gsk_"],
    body: /^[A-Za-z0-9]{52}/,
  },
  {
    id: "replicate",
    what: "a Replicate token",
    rotate: revokeAt("replicate.com/account/api-tokens"),
    prefixes: ["r8_"],
    body: /^[A-Za-z0-9]{37}/,
  },
  {
    id: "cloudflare",
    what: "a Cloudflare credential",
    rotate: "Roll it at dash.cloudflare.com/profile/api-tokens",
    prefixes: ["cfk_", "cfut_", "cfat_"],
    body: /^[A-Za-z0-9]{40}[0-9a-f]{8}/,
  },
  {
    id: "cloudflare-origin",
    what: "a Cloudflare Origin CA key",
    rotate: "Replace it at dash.cloudflare.com/profile/api-tokens",
    prefixes: ["v1.0-"],
    body: /^[0-9a-f]{24}-[0-9a-f]{146}/,
  },
  {
    id: "netlify",
    what: "a Netlify token",
    rotate: revokeAt("app.netlify.com/user/applications"),
    prefixes: ["nfp_", "nfc_", "nfo_", "nfu_"],
    body: /^[A-Za-z0-9]{36,40}/,
  },
  {
    id: "digitalocean",
    what: "a DigitalOcean token",
    rotate: revokeAt("cloud.digitalocean.com/account/api/tokens"),
    prefixes: ["dop_v1_", "doo_v1_", "dor_v1_"],
    body: /^[0-9a-f]{64}/,
  },
  {
    id: "heroku",
    what: "a Heroku key",
    rotate: revokeAt("dashboard.heroku.com/account"),
    prefixes: ["HRKU-"],
    body: /^[\w-]{36,70}/,
  },
  {
    id: "supabase",
    what: "a Supabase secret key",
    rotate: "Replace it in the project's API settings",
    prefixes: ["sb_secret_", "sbp_"],
    body: /^[\w-]{31,60}/,
  },
  {
    id: "planetscale",
    what: "a PlanetScale credential",
    rotate: revokeAt("app.planetscale.com"),
    prefixes: ["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
    body: /^[\w.=-]{32,64}/,
  },
  {
    id: "sendgrid",
    what: "a SendGrid key",
    rotate: revokeAt("app.sendgrid.com/settings/api_keys"),
    prefixes: ["SG."],
    body: /^[\w-]{22}\.[\w-]{43}/,
  },
  {
    id: "brevo",
    what: "a Brevo key",
    rotate: revokeAt("app.brevo.com/settings/keys/api"),
    prefixes: ["xkeysib-", "xsmtpsib-"],
    body: /^[0-9a-f]{64}-[A-Za-z0-9]{16}/,
  },
  {
    id: "postman",
    what: "a Postman key",
    rotate: revokeAt("the API keys page of Postman"),
    prefixes: ["PMAK-"],
    body: /^[0-9a-f]{24}-[0-9a-f]{34}/,
  },
  {
    id: "new-relic",
    what: "a New Relic key",
    rotate: revokeAt("one.newrelic.com/api-keys"),
    prefixes: ["NRAK-"],
    body: /^[A-Z0-9]{27}/,
  },
  {
    id: "grafana",
    what: "a Grafana token",
    rotate: revokeAt("the service account's page in Grafana"),
    prefixes: ["glsa_"],
    body: /^[A-Za-z0-9]{32}_[0-9a-f]{8}/,
  },
  {
    id: "sentry",
    what: "a Sentry token",
    rotate: revokeAt("sentry.io/settings/auth-tokens"),
    prefixes: ["sntrys_", "sntryu_"],
    body: /^[A-Za-z0-9+/=_-]{64,400}/,
  },
  {
    id: "contentful",
    what: "a Contentful management token",
    rotate: revokeAt("app.contentful.com/account/profile/cma_tokens"),
    prefixes: ["CFPAT-"],
    body: /^[\w-]{43}/,
  },
  {
    id: "notion",
    what: "a Notion token",
    rotate: "Refresh it at notion.so/profile/integrations",
    prefixes: ["ntn_"],
    body: /^[A-Za-z0-9]{40,60}/,
  },
  {
    id: "linear",
    what: "a Linear key",
    rotate: revokeAt("linear.app/settings/api"),
    prefixes: ["lin_api_", "lin_oauth_"],
    body: /^[A-Za-z0-9]{40,64}/,
  },
  {
    id: "figma",
    what: "a Figma token",
    rotate: revokeAt("figma.com/settings"),
    prefixes: ["figd_"],
    body: /^[\w-]{40,46}/,
  },
  {
    id: "mapbox",
    what: "a Mapbox secret token",
    rotate: revokeAt("console.mapbox.com"),
    prefixes: ["sk.eyJ"],
    body: /^[\w-]{40,200}\.[\w-]{22}/,
  },
  {
    id: "doppler",
    what: "a Doppler token",
    rotate: revokeAt("dashboard.doppler.com"),
    prefixes: ["dp.pt.", "dp.st.", "dp.sa.", "dp.ct."],
    body: /^[\w.-]{40,64}/,
  },
  {
    id: "vault",
    what: "a HashiCorp Vault token",
    rotate: "vault token revoke …",
    prefixes: ["hvs.", "hvb.", "hvr."],
    body: /^[\w-]{80,300}/,
  },
  {
    id: "terraform",
    what: "a Terraform Cloud token",
    rotate: revokeAt("app.terraform.io/app/settings/tokens"),
    prefixes: [".atlasv1."],
    body: /^[\w=-]{60,70}/,
  },
  {
    id: "pulumi",
    what: "a Pulumi token",
    rotate: revokeAt("app.pulumi.com/account/tokens"),
    prefixes: ["pul-"],
    body: /^[0-9a-f]{40}/,
  },
  {
    id: "age",
    what: "an age secret key",
    rotate: "Make a new one with age-keygen and encrypt again",
    prefixes: ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"],
    body: /^[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{50,80}/,
  },
  {
    id: "azure-storage",
    what: "an Azure storage account key",
    rotate: "Rotate the account's keys in the Azure portal",
    prefixes: ["AccountKey="],
    body: /^[A-Za-z0-9+/]{86}==/,
  },
];
