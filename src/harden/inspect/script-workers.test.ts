import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { findWorkers } from "./script-workers.ts";

suite("the files that a script runs in workers", () => {
  test("are found where their addresses stand, or can be traced", () => {
    for (const [source, expected] of [
      ['new Worker("/w.js")', "/w.js"],
      ['new window.Worker("w.js", { type: "module" })', "w.js"],
      ['const at = "/a/" + "w.js"; new SharedWorker(at)', "/a/w.js"],
      ['new Worker(new URL("./w.js", import.meta.url))', "./w.js"],
      ['new Worker(location.origin + "/w.js")', "/w.js"],
      ['if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").then(f)', "/sw.js"],
      ["navigator?.serviceWorker?.register(`/sw.js`)", "/sw.js"],
    ] as const)
      assert.deepEqual(findWorkers(source, true).starts, { addresses: [expected], unknown: false }, source);
    assert.deepEqual(findWorkers('importScripts("a.js", "b.js")', false).importScripts, {
      addresses: ["a.js", "b.js"],
      unknown: false,
    });
  });

  test("are unknown where an address is computed, or what starts them may have another name", () => {
    for (const source of [
      "new Worker(name)",
      "new Worker(`/${name}.js`)",
      "navigator.serviceWorker.register(at)",
      "const start = self.Worker; new start('/w.js'); new Worker('/v.js')",
      "const { serviceWorker } = navigator; serviceWorker[x]('/sw.js')",
      "run(navigator.serviceWorker)",
      "navigator.serviceWorker.register.call(navigator.serviceWorker, '/sw.js')",
    ])
      assert.equal(findWorkers(source, true).starts.unknown, true, source);
    assert.equal(findWorkers("importScripts(name)", false).importScripts.unknown, true);
  });

  test("are none where workers are only asked about, made of a text, or somebody else's", () => {
    for (const source of [
      'if (window.Worker) go(); typeof Worker === "function" && stay()',
      "navigator.serviceWorker.ready.then(show); navigator.serviceWorker.controller?.postMessage(1)",
      "navigator.serviceWorker.addEventListener('message', f)",
      "new Worker(URL.createObjectURL(new Blob([text])))",
      "new pool.Worker2(x); pool.Worker.count (1); ({ Worker: 1 })",
      "typeof importScripts === 'function' && 1",
    ])
      assert.deepEqual(
        findWorkers(source, true),
        {
          starts: { addresses: [], unknown: false },
          importScripts: { addresses: [], unknown: false },
        },
        source,
      );
  });
});
