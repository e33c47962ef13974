/** What a video is read from, piece by piece: a chosen file, or a recording stored here. */

import type { Bytes } from '../crypto/encoding';
import { Refused } from './refusing';

export interface Source {
  readonly size: number;
  /** Whether it survives closing the page, on this device. */
  readonly lasting: boolean;
  /** The bytes from `from` to `to` (exclusive), or to the end; `file-unreadable` if they are gone. */
  read(from: number, to: number): Promise<Bytes>;
}

export function fromFile(file: Blob): Source {
  return {
    size: file.size,
    lasting: false,
    read: async (from, to) => {
      try {
        return new Uint8Array(await file.slice(from, to).arrayBuffer());
      } catch {
        throw new Refused('file-unreadable');
      }
    },
  };
}
