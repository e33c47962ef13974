/** The form of a recording: a video, or voice alone. */

/** File extensions of sound that many devices know no type for. */
const SOUND = /\.(?:3ga|aac|aiff?|amr|au|awb|caf|flac|m4a|m4b|mp3|oga|ogg|opus|qcp|spx|wav|wma)$/i;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/;

/** By the type from the sender's device, which is all that is known before processing. */
export function isVoice(mediaType: string): boolean {
  return mediaType.startsWith('audio/');
}

/** The type from the device, if any; for a sound file at least that it is sound. */
export function mediaTypeOf({ type, name }: File): string {
  const [given = ''] = type.toLowerCase().split(';');
  const known = MEDIA_TYPE.test(given) && given !== 'application/octet-stream';
  if (known) return given;
  const [, ending] = /\.(\w+)$/.exec(name) ?? [];
  return SOUND.test(name) && ending !== undefined ? `audio/x-${ending.toLowerCase()}` : 'application/octet-stream';
}
