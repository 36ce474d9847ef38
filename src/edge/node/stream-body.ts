import type { Writable } from "node:stream";
import type { AnswerStream } from "../api.ts";

/** What {@link sendStream} tells of a body on its way. */
export interface StreamProgress {
  /** The client has not read so many bytes yet; it must, in time. */
  onWaiting(bytes: number): void;
  /** It has read all that it was given. */
  onRead(): void;
  /** Ends the answer so that its client knows that it is not whole. */
  cut(): void;
}

/**
 * Sends a body as it comes, and asks for no more of it than the client reads: of a slow client's answer at most what one write holds is kept
 * here. If the client goes, the source is told at once.
 *
 * @param answer its head was written
 */
export function sendStream(answer: Writable, stream: AnswerStream, progress: StreamProgress): void {
  let isOver = false;

  answer.once("close", () => {
    if (isOver) return;
    isOver = true;
    stream.cancel();
  });
  answer.on("drain", () => {
    progress.onRead();
    if (!isOver) stream.resume();
  });
  stream.start({
    write(part) {
      if (isOver) return false;
      const isTaken = answer.write(part);
      if (!isTaken) progress.onWaiting(answer.writableLength);
      return isTaken;
    },
    end() {
      if (isOver) return;
      isOver = true;
      answer.end();
    },
    fail() {
      if (isOver) return;
      isOver = true;
      progress.cut();
    },
  });
}
