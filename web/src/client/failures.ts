/** Why a video could not be processed, in sentences: relay's list, fetched once. */

import type { Connection } from './connection';
import type { SentMessage } from './contract';
import type { components } from './schema';

type Failure = components['schemas']['Failure'];

export class Failures {
  private known: Promise<readonly Failure[]> | null = null;

  constructor(private readonly connection: Connection) {}

  /** The sentences for a code; null for none. */
  async find(code: string | null): Promise<SentMessage['failure']> {
    if (code === null) return null;
    this.known ??= this.connection.call<readonly Failure[]>('GET', '/v1/failures');
    this.known.catch(() => { this.known = null; });
    const found = (await this.known).find((failure) => failure.code === code);
    return found ?? { code, en: code, fr: code };
  }
}
