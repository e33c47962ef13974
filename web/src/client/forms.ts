/** The form of a message: until a recording is verified, relay's word whether it is voice alone. */

import type { Form, VideoFacts } from './contract';
import type { components } from './schema';

type Said = Pick<components['schemas']['QueueItem'], 'kind' | 'voice'>;

export function formOf({ kind, voice }: Said, verified: Pick<VideoFacts, 'hasPicture'> | null = null): Form {
  if (kind === 'letter') return 'letter';
  return (verified === null ? voice : !verified.hasPicture) ? 'voice' : 'video';
}
