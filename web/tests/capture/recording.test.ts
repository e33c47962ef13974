/** Errors of an unavailable camera, and the choice among the browser's formats. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { faultOf, recordableType } from '../../src/capture/recording';

afterEach(() => vi.unstubAllGlobals());

/** A browser whose recorder supports these types. */
function browser(...types: string[]): void {
  vi.stubGlobal('navigator', { mediaDevices: {} });
  vi.stubGlobal('MediaRecorder', { isTypeSupported: (type: string) => types.includes(type) });
}

describe('what went wrong', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
    ['SomethingElse', 'unsupported'],
  ] as const)('%s is %s', (name, fault) => {
    expect(faultOf(new DOMException('', name))).toBe(fault);
  });

  it('is told by its name alone: an OverconstrainedError is no DOMException everywhere', () => {
    expect(faultOf(Object.assign(new Error('deviceId'), { name: 'OverconstrainedError' }))).toBe('missing');
    expect(faultOf('strange')).toBe('unsupported');
  });
});

describe('the format', () => {
  it('is WebM with VP9 where there is a choice', () => {
    browser('video/mp4', 'video/webm;codecs=vp8,opus', 'video/webm;codecs=vp9,opus');
    expect(recordableType('video')).toBe('video/webm;codecs=vp9,opus');
  });

  it('is MP4 in Safari', () => {
    browser('video/mp4');
    expect(recordableType('video')).toBe('video/mp4');
  });

  it('of a voice alone is sound alone', () => {
    browser('video/webm', 'audio/webm', 'audio/webm;codecs=opus', 'audio/mp4');
    expect(recordableType('voice')).toBe('audio/webm;codecs=opus');
    browser('video/mp4', 'audio/mp4');
    expect(recordableType('voice')).toBe('audio/mp4');
    browser('video/mp4');
    expect(recordableType('voice')).toBeNull();
  });

  it('is none where a browser records nothing', () => {
    browser();
    expect(recordableType('video')).toBeNull();
    vi.stubGlobal('navigator', {});
    expect(recordableType('video')).toBeNull();
  });
});
