/** What a video is read from, piece by piece: a file that was picked, or a recording that is kept here. */

import type { Bytes } from '../crypto/encoding';
import { Refused } from './refusing';

export interface Source {
  readonly size: number;
  /** Whether it is still there, for this device, after the page was closed. */
  readonly lasting: boolean;
  /** The bytes from `from` to before `to`, or to the end; `file-unreadable` where they are not there any more. */
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
