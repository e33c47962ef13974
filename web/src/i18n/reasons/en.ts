/**
 * Coded reasons in English: a mediator chooses one, and the author of a returned or closed message reads the same
 * sentence. None blames anybody, none quotes anybody.
 */

export const en = {
  return: {
    'needs-a-question': 'A question needs your answer before this can go on.',
    unclear: 'A part of it could be understood in more than one way.',
    'names-others': 'It names or shows somebody who has not agreed to be part of this.',
    'contact-details': 'It holds a place, a number or another way to find somebody.',
    'may-hurt': 'Some words may hurt in a way that you do not intend.',
    'asks-too-much': 'It asks for something that the other person may not be able to give now.',
    'about-proceedings': 'It speaks about a court, a sentence or a parole matter, which cannot be part of this.',
    'hard-to-hear-or-see': 'The sound or the picture is hard to follow.',
    'different-from-agreed': 'It is different from what you and your mediator agreed on.',
    'talk-first': 'Your mediator would like to talk with you first.',
  },
  decline: {
    'not-the-right-time': 'This is not the right time for it.',
    safety: 'It cannot go on because of somebody’s safety.',
    'outside-the-agreement': 'It is outside of what everybody agreed to.',
    'not-for-this-way': 'What you want to say needs another way than a message.',
    'no-longer-taking-part': 'This exchange has ended.',
    'cannot-be-made-ready': 'It could not be brought into a form that can be passed on.',
  },
  hold: {
    readiness: 'Readiness has to be looked at with somebody first.',
    safety: 'A question about safety is open.',
    'no-contact': 'A no-contact order or condition has to be checked.',
    consent: 'Consent has to be confirmed.',
    translation: 'It waits for a translation.',
    captions: 'It waits for captions.',
    escalation: 'A supervisor has to look at it.',
  },
} as const;
