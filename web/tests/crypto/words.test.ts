/** Words for claims and passphrases, and the floor of a new passphrase. */

import { afterEach, describe, expect, test, vi } from 'vitest';
import { findWeakness, normal } from '../../src/crypto/passphrases';
import { suggestPassphrase, wordList } from '../../src/crypto/words';

afterEach(() => vi.restoreAllMocks());

describe.each(['en', 'fr'] as const)('the words in %s', (language) => {
  test('are 1024, each once, told apart by four letters', async () => {
    const words = await wordList(language);
    expect(words).toHaveLength(1024);
    expect(new Set(words.map((word) => word.slice(0, 4))).size).toBe(1024);
    expect(words.filter((word) => !/^[a-z]{3,8}$/.test(word))).toEqual([]);
  });

  test('are suggested by chance, each as often as every other, and always above the floor', async () => {
    const known = new Set(await wordList(language));
    const drawn = new Map<string, number>();
    const seen = new Set<string>();
    for (let turn = 0; turn < 5_000; turn += 1) {
      const suggested = await suggestPassphrase(language);
      expect(findWeakness(suggested)).toBeNull();
      const words = suggested.split(' ');
      expect(words).toHaveLength(4);
      for (const word of words) drawn.set(word, (drawn.get(word) ?? 0) + 1);
      seen.add(suggested);
    }
    expect(seen.size).toBe(5_000);
    expect([...drawn.keys()].filter((word) => !known.has(word))).toEqual([]);
    expect(drawn.size).toBe(1024);
    expect(Math.max(...drawn.values())).toBeLessThan(60);
    expect((await suggestPassphrase(language, 6)).split(' ')).toHaveLength(6);
  });
});

test('what the floor refuses is drawn again', async () => {
  const words = await wordList('en');
  const numbers = [1023, 1023, 1023, 1023, 0, 1, 2, 3];
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((buffer) => {
    (buffer as unknown as Uint16Array).set(numbers.splice(0, 4));
    return buffer;
  });
  expect(await suggestPassphrase('en')).toBe(words.slice(0, 4).join(' '));
});

test('a passphrase has one form, however it is composed and whatever a phone adds at its ends', () => {
  expect(normal(' de\u0301ja\u0300  vu\u3000 ')).toBe('d\u00e9j\u00e0  vu');
});
