/** Sentences of the small elements that every page shares, in English. */

export const en = {
  otherLanguage: 'Français',
  leaveNow: 'Leave now',
  strength: {
    label: 'Strength of your passphrase',
    empty: 'Nothing yet',
    weak: 'Easy to guess. You may use it, but a few more words would protect you better.',
    fair: 'Fair. One or two more words would make it hard to guess.',
    good: 'Good.',
    strong: 'Strong.',
  },
  idle: {
    heading: 'Are you still there?',
    willLock: (seconds: number) => `For your safety, this page locks in ${String(seconds)} seconds. What you wrote stays sealed.`,
    willEnd: (seconds: number) => `In ${String(seconds)} seconds everything is removed from this device. What was not sent is lost.`,
    stay: 'I am still here',
  },
} as const;
