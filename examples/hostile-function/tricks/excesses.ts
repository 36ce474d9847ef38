import type * as childProcess from "node:child_process";
import type * as net from "node:net";
import type * as workerThreads from "node:worker_threads";
import { load } from "./attempts.ts";

// What a function does that wants to take the others down with it. What stops it stands outside.

/** A way to use up what others need. */
export interface Excess {
  /** What it does, as a sentence goes on after "it". */
  readonly says: string;
  readonly run: (allowed: string) => Promise<unknown>;
}

export const excesses: Readonly<Record<string, Excess>> = {
  loop: {
    says: "never ends",
    run: async () => {
      for (let count = 0; ; count++) if (count < 0) return Promise.resolve(count);
    },
  },
  "slow-pattern": {
    says: "matches a pattern that never ends",
    run: async () => Promise.resolve(/^(a+)+$/.test(`${"a".repeat(50)}!`)),
  },
  buffers: {
    says: "takes memory in large pieces",
    run: async () => {
      const taken: Uint8Array[] = [];
      for (;;) {
        taken.push(new Uint8Array(64 * 2 ** 20).fill(taken.length));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  },
  objects: {
    says: "takes memory in small pieces",
    run: async () => {
      const taken: object[] = [];
      for (;;) {
        for (let count = 0; count < 100_000; count++) taken.push({ count });
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
  },
  silence: { says: "never answers", run: () => new Promise(() => setInterval(() => undefined, 1000)) },
  "large-answer": {
    says: "answers with 200 MB",
    run: async () => Promise.resolve("x".repeat(200 * 2 ** 20)),
  },
  recursion: {
    says: "calls itself without end",
    run: async () => {
      const deeper = (depth: number): number => deeper(depth + 1) + 1;
      return Promise.resolve(deeper(0));
    },
  },
  "many-requests": {
    says: "asks 10,000 times at once",
    run: async (allowed) => {
      const answers = await Promise.allSettled(Array.from({ length: 10_000 }, () => fetch(allowed)));
      return answers.filter(({ status }) => status === "fulfilled").length;
    },
  },
  "long-log": {
    says: "fills the log",
    run: async () => {
      for (let count = 0; count < 100_000; count++) console.log(`\u001b[31m${count} ${"x".repeat(1000)}`);
      return Promise.resolve("written");
    },
  },
  promises: {
    says: "loops in promises",
    run: async () => {
      for (let count = 0; ; count++) await Promise.resolve(count);
    },
  },
  exit: {
    says: "ends its process",
    run: async () => Promise.resolve(globalThis.process?.exit(1)),
  },
  abort: {
    says: "aborts its process",
    run: async () => Promise.resolve(globalThis.process?.abort()),
  },
  "shared-memory": {
    says: "takes memory that threads would share",
    run: async () => {
      const taken: Uint8Array[] = [];
      for (;;) {
        taken.push(new Uint8Array(new SharedArrayBuffer(16 * 2 ** 20)).fill(1));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  },
  "many-processes": {
    says: "starts processes and threads without end",
    run: async () => {
      const { spawn } = await load<typeof childProcess>("node:child_process");
      const { Worker } = await load<typeof workerThreads>("node:worker_threads");
      let started = 0;
      for (let count = 0; count < 1000; count++)
        for (const start of [() => spawn("/node"), () => new Worker("for (;;);", { eval: true })]) {
          try {
            start();
            started++;
          } catch {
            // Refused.
          }
        }
      return started;
    },
  },
  "many-sockets": {
    says: "opens 10,000 connections to egress",
    run: async () => {
      const { connect } = await load<typeof net>("node:net");
      const open: net.Socket[] = [];
      for (let count = 0; count < 10_000; count++) {
        open.push(connect("/egress.sock").on("error", () => undefined));
        if (count % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return open.length;
    },
  },
};
