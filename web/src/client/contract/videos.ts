/** A video that can be played, and who serves its bytes. */

export interface VideoFacts {
  /** Identifies the sealed part to the player. */
  readonly part: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  /** False for sound alone. */
  readonly hasPicture: boolean;
  /** JPEG, already opened. */
  readonly poster: Blob | null;
}

/** Serves the decrypted bytes of one video by ranges; the port speaks `playback/protocol.ts`. */
export interface Playback {
  /** Serves ranges of this part on the port until it is closed. */
  serve(part: string, port: MessagePort): Promise<void>;
  /** The whole video, verified to its end, for browsers without a service worker. */
  blob(part: string): Promise<Blob>;
}
