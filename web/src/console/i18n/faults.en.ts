/** The sentences of the console about a record that does not hold: what it is, and what can be done. In English. */

export const faults = {
  broken: {
    title: 'Something in this message does not hold',
    rest: 'This concerns this message alone. Your keys, this case and all other messages are as they were.',
    possible: 'It cannot be approved or offered. You can send it back, decline it or put it on hold.',
    says: (record: string, is: string, todo: string) => `${record}: ${is} ${todo}`,
    captions: 'You can also write captions: yours take the place of these.',
    decision: 'This decision cannot be read.',
    words: 'The words of this decision cannot be read.',
    link: 'The link’s own statement does not hold. End the link and make a new one.',
    authorNotReady: 'The author has no checked keys, so your words stay with the case. They are told that it came back or was closed, and the reason.',
    grantedNot: (count: number) => (count === 1 ? 'One message could not be made accessible again: open it to see why.' : `${count} messages could not be made accessible again: open them to see why.`),
  },

  /** What a failure is about. */
  record: {
    claim: 'The keys of this person',
    link: 'The link',
    consent: 'What the two said about taking part',
    message: 'The message',
    body: 'The words',
    original: 'The original recording',
    note: 'The note on who helped',
    rendition: 'The prepared recording',
    poster: 'The still picture',
    captions: 'The captions',
    decision: 'A decision',
    approvals: 'The approvals',
    offer: 'The offer',
    log: 'The log',
  },

  /** Why it does not hold, and what can be done. */
  fault: {
    'not-from-link': {
      is: 'These keys were not made by somebody who had the link.',
      todo: 'End the link, and give the person a new one yourself. Decline what came with these keys.',
    },
    'unusable-key': {
      is: 'Nothing can be sealed for these keys.',
      todo: 'End the link, and give the person a new one.',
    },
    'not-signed': {
      is: 'It is not signed by somebody who may sign it, or it is about something else.',
      todo: 'Do not rely on it. Ask the person, in another way, whether it comes from them. If it stays so, tell your administrator.',
    },
    'too-few': {
      is: 'Fewer mediators approved exactly this than the case asks for.',
      todo: 'Reopen the review, and have it approved again.',
    },
    'no-key': {
      is: 'It was sealed so that the key of this case does not open it.',
      todo: 'Ask for it to be sent again.',
    },
    'wrong-key': {
      is: 'The key that came with it is not the one that was signed.',
      todo: 'Ask for it to be sent again.',
    },
    altered: {
      is: 'What relay has is not what was signed, or is not there.',
      todo: 'Ask for it to be sent again, and tell your administrator.',
    },
    'not-text': {
      is: 'What is inside cannot be read as text.',
      todo: 'Ask for it to be written again.',
    },
    'not-captions': {
      is: 'They cannot be read.',
      todo: 'Write captions, or record why there are none.',
    },
    'wrong-type': {
      is: 'It says that it is of a type that does not belong here.',
      todo: 'Ask for it to be sent again.',
    },
  },
};
