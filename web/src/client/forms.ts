/** What a message is to a person: of a recording relay tells whether it is a voice alone, until it is verified here. */

import type { Form, VideoFacts } from './contract';
import type { components } from './schema';

type Said = Pick<components['schemas']['QueueItem'], 'kind' | 'voice'>;

export function formOf({ kind, voice }: Said, verified: Pick<VideoFacts, 'hasPicture'> | null = null): Form {
  if (kind === 'letter') return 'letter';
  return (verified === null ? voice : !verified.hasPicture) ? 'voice' : 'video';
}
