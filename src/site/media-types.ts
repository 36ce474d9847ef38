interface MediaType {
  readonly type: string;
  /** Worth compressing. */
  readonly text: boolean;
}

const text = (type: string): MediaType => ({ type: `${type}; charset=utf-8`, text: true });
const binary = (type: string): MediaType => ({ type, text: false });

const byExtension: ReadonlyMap<string, MediaType> = new Map([
  ["css", text("text/css")],
  ["js", text("text/javascript")],
  ["mjs", text("text/javascript")],
  ["json", text("application/json")],
  ["webmanifest", text("application/manifest+json")],
  ["svg", text("image/svg+xml")],
  ["txt", text("text/plain")],
  ["csv", text("text/csv")],
  ["vtt", text("text/vtt")],
  ["xml", text("application/xml")],
  ["html", text("text/html")],
  ["png", binary("image/png")],
  ["jpg", binary("image/jpeg")],
  ["jpeg", binary("image/jpeg")],
  ["webp", binary("image/webp")],
  ["avif", binary("image/avif")],
  ["gif", binary("image/gif")],
  ["ico", binary("image/x-icon")],
  ["woff2", binary("font/woff2")],
  ["woff", binary("font/woff")],
  ["ttf", { type: "font/ttf", text: true }],
  ["otf", { type: "font/otf", text: true }],
  ["pdf", binary("application/pdf")],
  ["mp4", binary("video/mp4")],
  ["webm", binary("video/webm")],
  ["mp3", binary("audio/mpeg")],
  ["ogg", binary("audio/ogg")],
]);

/** The media type of a file by its name's ending; undefined for one that is not known, which is then not published. */
export function mediaTypeOf(path: string): MediaType | undefined {
  return byExtension.get(extensionOf(path));
}

/** A name's ending, lower case, without the dot. */
export function extensionOf(path: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** The endings that {@link mediaTypeOf} knows. */
export const knownExtensions: readonly string[] = [...byExtension.keys()];
