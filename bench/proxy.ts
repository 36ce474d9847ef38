import { compare, has, nodeServer, start, wrkLoad } from "./harness.ts";
import type { Peer, PeerResult } from "./harness.ts";
import { canCount, countByCallgrind } from "./instructions.ts";
import type { Suite } from "./run.ts";

/** What stands between clients and an API that answers with 1 KB of JSON. PERFORMANCE.md, C. */
export const proxy: Suite = async ({ folder, seconds, count, say }) => {
  if (!has("wrk")) {
    say("wrk is not installed: the proxy is not measured. On Debian: apt-get install wrk");
    return [];
  }
  const behind = await start({
    name: "upstream",
    // On the other core, where there is one: what it takes is not the proxy's.
    command: [
      ...(has("taskset") ? ["taskset", "-c", "1"] : []),
      ...nodeServer("servers/proxy.ts", "upstream"),
    ],
  }).catch(() => start({ name: "upstream", command: nodeServer("servers/proxy.ts", "upstream") }));
  try {
    const env = { BENCH_FOLDER: folder, BENCH_UPSTREAM: String(behind.port) };
    const names = [
      "node:https, nothing behind",
      "curtainwall",
      "curtainwall, written anew",
      "curtainwall, unsigned",
      "curtainwall, kept",
      "node:https and undici",
      ...["nginx", "haproxy", "caddy"].filter(has),
    ];
    const peers: Peer[] = names.map((name) => ({ name, command: commandOf(name), env }));
    const rounds = Math.max(3, Math.floor(seconds / peers.length / 1.2));
    const load = wrkLoad("/api/products/42");
    const measured = await compare({ title: "proxy", peers, load, rounds, warmUpSeconds: 6, say });
    const results: PeerResult[] = [];
    for (const [index, result] of measured.entries()) {
      const peer = peers[index];
      const isCounted = peer !== undefined && count > 0 && canCount() && /curtainwall|node:/.test(peer.name);
      if (isCounted) say(`proxy: counting the instructions of ${peer.name}`);
      const instructions = isCounted ? await countByCallgrind(peer, request, count, folder) : undefined;
      results.push(instructions === undefined ? result : { ...result, instructionsK: instructions / 1000 });
    }
    return [
      {
        title:
          "Proxy to an API of 1 KB JSON, TLS 1.3 in front, HTTP/1.1, 64 connections (instructions: outside the kernel)",
        results,
      },
    ];
  } finally {
    await behind.stop();
  }
};

const request = "GET /api/products/42 HTTP/1.1\r\nhost: localhost\r\n\r\n";

/** Ours runs as `curtainwall start` runs it: without code from strings, which Zod would make use of. */
function commandOf(name: string): string[] {
  const [node = "", ...rest] = nodeServer("servers/proxy.ts", name);
  return name.startsWith("curtainwall")
    ? [node, "--disallow-code-generation-from-strings", ...rest]
    : [node, ...rest];
}
