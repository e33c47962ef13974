/** The sentences of the console's lists in English: whose turn it is, what there is to do where, and finding it again. */

export const lists = {
  turn: {
    you: 'For you',
    mediator: 'For another mediator',
    sender: 'For the sender',
    recipient: 'For the recipient',
    relay: 'For relay',
    ended: 'Opened or ended',
  },

  lists: {
    all: 'all',
    approvedByYou: 'You approved it. Another mediator has to approve it, too.',
    emptyYou: 'Nothing waits for you.',
    endedOn: (state: string, at: string) => `${state}, ${at}`,
    waits: 'Who it waits for',
    anybody: 'Anybody',
    next: 'Next message',
    noNext: 'Nothing else waits for you.',
    about: (act: string, what: string) => `${act}: ${what}`,
    past: 'Opened or ended',
    nonePast: 'None yet.',
  },

  finding: {
    label: 'Find a case or a person',
    hint: 'By reference, by role, by a name that your case system shows, by the mark on a sheet, or by a person’s reference in your case system.',
    found: (count: number) => (count === 1 ? 'One case' : `${count} cases`),
    none: 'No case of yours fits.',
    mark: (mark: string) => `mark ${mark}`,
    count: {
      you: (count: number) => (count === 1 ? '1 message for you' : `${count} messages for you`),
      mediator: (count: number) => `${count} for another mediator`,
      sender: (count: number) => `${count} for the sender`,
      recipient: (count: number) => `${count} for the recipient`,
      relay: (count: number) => `${count} for relay`,
      claims: (count: number) => (count === 1 ? '1 used link to check' : `${count} used links to check`),
      unusedLinks: (count: number) => (count === 1 ? '1 link not used yet' : `${count} links not used yet`),
    },
  },

  place: {
    message: (kind: string, reference: string) => `${kind}, case ${reference}`,
    captions: (reference: string) => `Captions, case ${reference}`,
  },
};
