/** What a recording is to a person: a video, or a voice alone. */

/** Endings of sound files that many devices know no type for. */
const SOUND = /\.(?:3ga|aac|aiff?|amr|au|awb|caf|flac|m4a|m4b|mp3|oga|ogg|opus|qcp|spx|wav|wma)$/i;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/;

/** By the type that its sender's device gave it, which is all that is known before it is prepared. */
export function isVoice(mediaType: string): boolean {
  return mediaType.startsWith('audio/');
}

/** The type that a device gives a file, where it gives one; of a sound file at least that it is one. */
export function mediaTypeOf({ type, name }: File): string {
  const [given = ''] = type.toLowerCase().split(';');
  const known = MEDIA_TYPE.test(given) && given !== 'application/octet-stream';
  if (known) return given;
  const [, ending] = /\.(\w+)$/.exec(name) ?? [];
  return SOUND.test(name) && ending !== undefined ? `audio/x-${ending.toLowerCase()}` : 'application/octet-stream';
}
