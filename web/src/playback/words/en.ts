/** Sentences of the player, in English. */

export const en = {
  player: 'Video player',
  soundPlayer: 'Sound player',
  play: 'Play',
  pause: 'Pause',
  position: 'Position',
  at: (now: string, end: string) => `${now} of ${end}`,
  mute: 'Sound off',
  unmute: 'Sound on',
  volume: 'Volume',
  speed: 'Speed',
  captions: 'Captions',
  fullScreen: 'Full screen',
  leaveFullScreen: 'Leave full screen',
  clear: 'Show the picture clearly',
  blur: 'Blur the picture',
  guarded: 'The picture is blurred and grey, and the sound is off, until you choose otherwise.',
  loading: 'Getting the video…',
  loadingWhole: 'Getting the whole video first, since this browser cannot play it piece by piece…',
  failed: 'The video cannot be played now. Check your connection, then try again.',
  again: 'Try again',
} as const;
