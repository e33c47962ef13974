/** Opened videos: serves their decrypted bytes to players, by range or whole. */

import type { Part } from '../crypto/fields';
import type { FileKey } from '../crypto/filekeys';
import type { Rendition } from '../crypto/statements';
import type { SignedConnection } from './connection';
import type { VideoFacts } from './contract';
import { download } from './downloading';
import { answerOn, Ranges } from './ranges';
import { reading } from './records';
import { Refused } from './refusing';

interface Opened {
  readonly part: Part;
  readonly fileKey: FileKey;
  readonly ranges: Ranges;
}

/** What a rendition's statement says about a video, without its poster. */
export function factsOf(rendition: Rendition, part: Part): Omit<VideoFacts, 'poster'> {
  return {
    part: part.commit,
    mediaType: part.type,
    sizeBytes: rendition.size,
    durationMs: rendition.duration_ms,
    width: rendition.width,
    height: rendition.height,
    hasPicture: rendition.profile !== 'audio',
  };
}

export class OpenedVideos {
  private readonly opened = new Map<string, Opened>();
  private readonly ports = new Set<MessagePort>();

  constructor(private readonly signed: SignedConnection) {}

  /** Makes a verified part playable, identified by its commitment. */
  admit(part: Part, fileKey: FileKey): void {
    if (this.opened.has(part.commit)) return;
    this.opened.set(part.commit, { part, fileKey, ranges: new Ranges(this.signed, part, fileKey) });
  }

  serve(part: string, port: MessagePort): void {
    const { ranges } = this.find(part);
    this.ports.add(port);
    answerOn(port, ranges);
  }

  blob(part: string): Promise<Blob> {
    const { part: described, fileKey } = this.find(part);
    return reading('rendition', () => download(this.signed, described, fileKey, described.type));
  }

  close(): void {
    for (const port of this.ports) port.close();
    this.ports.clear();
    this.opened.clear();
  }

  private find(part: string): Opened {
    const found = this.opened.get(part);
    if (found === undefined) throw new Refused('signed-out');
    return found;
  }
}
