/** Sentences of the small elements that every page shares, in English. */

export const en = {
  otherLanguage: 'Français',
  leaveNow: 'Leave now',
  calls: {
    line: (name: string) => `${name}:`,
    programme: (name: string) => `To reach ${name}:`,
  },
  strength: {
    label: 'Strength of your passphrase',
    empty: 'At least 12 characters. Words that do not belong together are good.',
    weak: 'Easy to guess. You may use it, but a few more words would protect you better.',
    fair: 'Fair. One or two more words would make it hard to guess.',
    good: 'Good.',
    strong: 'Strong.',
  },
  weakness: {
    'passphrase-short': 'A little longer, please: at least 12 characters.',
    'passphrase-repeats': 'The same few characters come again and again. Please choose different words.',
    'passphrase-uniform': 'There are only a few different characters in it. Please use at least 6 different ones.',
    'passphrase-from-link': 'This is a piece of your link, and whoever found the link would have it too. Please choose other words.',
  },
  suggestion: {
    four: 'Suggest four words',
    six: 'Suggest six words',
    given: 'These words were drawn by chance, and the field shows them. Write them down, and keep the note where only you find it.',
    failed: 'The words could not be fetched. Please look at the connection and try again, or choose your own.',
  },
  idle: {
    heading: 'Are you still there?',
    willLock: (seconds: number) => `For your safety, this page locks in ${String(seconds)} seconds. What you wrote is saved.`,
    willEnd: (seconds: number) => `In ${String(seconds)} seconds everything is removed from this device. What was not sent or saved is lost.`,
    stay: 'I am still here',
  },
} as const;
