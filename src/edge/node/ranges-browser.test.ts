import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { securityHeaders } from "../../contract/index.ts";
import { requires } from "../../../test/requires.ts";
import { host, makeRelease, startEdge } from "./test-edge.ts";

const { path: executablePath, skip } = requires("chromium");
const flags =
  "--no-sandbox --ignore-certificate-errors --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const [rate, seconds] = [44_100, 240];

/** Four minutes of a tone, uncompressed: 42 MB. */
function recording(): Buffer {
  const samples = Buffer.alloc(rate * seconds * 4);
  for (let at = 0; at < samples.length; at += 2) samples[at] = (at >> 5) & 255;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

test(
  "Chromium plays a long recording and jumps to its end, without asking for what lies between",
  { skip },
  async (t) => {
    const bytes = recording();
    const policy = "default-src 'none'; media-src 'self'";
    const html = `<!doctype html><title>t</title><audio controls preload="metadata" src="/tone.wav"></audio>`;
    const release = await makeRelease([
      {
        path: "/listen/",
        headers: [["content-type", "text/html; charset=utf-8"], ...securityHeaders(policy)],
        bytes: { identity: Buffer.from(html) },
      },
      { path: "/tone.wav", headers: [["content-type", "audio/wav"]], bytes: { identity: bytes } },
    ]);
    const { port, events } = await startEdge(t, { release });
    const browser = await chromium.launch({
      executablePath,
      args: [...flags.split(" "), `--host-resolver-rules=MAP ${host}:443 127.0.0.1:${port}`],
    });
    t.after(() => browser.close());
    const page = await browser.newPage();
    const answers: { status: number; range: string }[] = [];
    page.on("response", (response) => {
      if (!response.url().endsWith(".wav")) return;
      answers.push({ status: response.status(), range: response.headers()["content-range"] ?? "" });
    });
    await page.goto(`https://${host}/listen/`);
    const played = await page.evaluate(async (to) => {
      const audio = document.querySelector("audio");
      if (audio === null) throw new Error("no audio");
      if (audio.readyState < 1)
        await new Promise((resolve) => audio.addEventListener("loadedmetadata", resolve));
      audio.currentTime = to;
      await new Promise((resolve) => audio.addEventListener("seeked", resolve));
      return { duration: audio.duration, at: audio.currentTime, failed: audio.error?.message };
    }, seconds - 5);
    assert.deepEqual(played, { duration: seconds, at: seconds - 5, failed: undefined });
    assert.ok(
      answers.every(({ status }) => status === 206),
      JSON.stringify(answers),
    );
    const starts = answers.map(({ range }) => Number(/^bytes (\d+)-/.exec(range)?.[1]));
    assert.equal(starts[0], 0);
    assert.ok(
      starts.some((start) => start > bytes.length * 0.9),
      JSON.stringify(answers),
    );
    assert.deepEqual(events, []);
  },
);
