/** Coded reasons in French: the same sentence for the mediator who chooses it and for the author who reads it. */

import type { Catalogue } from '../catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  return: {
    'needs-a-question': 'Une question attend votre réponse avant d’aller plus loin.',
    unclear: 'Un passage peut se comprendre de plusieurs façons.',
    'names-others': 'Le message nomme ou montre une personne qui n’a pas accepté d’en faire partie.',
    'contact-details': 'Le message contient un lieu, un numéro ou un autre moyen de retrouver quelqu’un.',
    'may-hurt': 'Certains mots pourraient blesser sans que ce soit votre intention.',
    'asks-too-much': 'Le message demande quelque chose que l’autre personne ne peut peut-être pas donner maintenant.',
    'about-proceedings': 'Le message parle d’un tribunal, d’une peine ou d’une libération conditionnelle, ce qui n’a pas sa place ici.',
    'hard-to-hear-or-see': 'Le son ou l’image est difficile à suivre.',
    'different-from-agreed': 'Le message diffère de ce que vous aviez convenu avec votre médiatrice ou médiateur.',
    'talk-first': 'Votre médiatrice ou médiateur aimerait d’abord en parler avec vous.',
  },
  decline: {
    'not-the-right-time': 'Ce n’est pas le bon moment pour ce message.',
    safety: 'Le message ne peut pas être transmis, pour la sécurité d’une personne.',
    'outside-the-agreement': 'Le message sort de ce que tout le monde avait accepté.',
    'not-for-this-way': 'Ce que vous voulez dire demande une autre voie qu’un message.',
    'no-longer-taking-part': 'Cet échange est terminé.',
    'cannot-be-made-ready': 'Le message n’a pas pu être mis sous une forme qui puisse être transmise.',
  },
  hold: {
    readiness: 'Il faut d’abord voir avec quelqu’un si le moment est venu.',
    safety: 'Une question de sécurité reste ouverte.',
    'no-contact': 'Une ordonnance ou condition de non-communication doit être vérifiée.',
    consent: 'Le consentement doit être confirmé.',
    translation: 'Le message attend une traduction.',
    captions: 'Le message attend des sous-titres.',
    escalation: 'Une superviseure ou un superviseur doit l’examiner.',
  },
};
