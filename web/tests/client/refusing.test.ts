/** What is made of relay's refusals before a page sees them. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { refusedBy } from '../../src/client/refusing';

const DESCRIPTION = readFileSync(new URL('../../../docs/openapi.yaml', import.meta.url), 'utf8');
const LIMITS = [...new Set(DESCRIPTION.match(/too-many-[a-z-]+|stored-too-much/g))];
const QUOTAS = new Set(['too-many-drafts', 'too-many-uploads', 'stored-too-much']);

describe('a limit that is reached', () => {
  it.each(LIMITS)('%s is passed on with its sentence where waiting does not help, and is busy otherwise', (code) => {
    const { refusal } = refusedBy(429, { code, title: 'A sentence.', wait_seconds: 7 });
    const kind = QUOTAS.has(code) ? 'refused' : code === 'too-many-tries' ? 'wait' : 'busy';
    expect(refusal).toMatchObject({ refusal: kind, code, sentence: 'A sentence.' });
  });

  it('is known whichever of them relay describes', () => {
    expect(LIMITS).toEqual(expect.arrayContaining([...QUOTAS, 'too-many-tries', 'too-many-requests', 'too-many-at-once', 'too-many-feeds']));
  });

  it('is busy where a proxy says it, which has no code', () => {
    expect(refusedBy(429, null).refusal).toEqual({ refusal: 'busy' });
  });
});
