/** The sentences of the console about a record that does not hold: what it is, and what can be done. In French. */

import type { Catalogue } from '../../i18n/catalogue';
import type { faults as en } from './faults.en';

export const faults: Catalogue<typeof en> = {
  broken: {
    title: 'Un élément de ce message ne tient pas',
    rest: 'Cela ne concerne que ce message. Vos clés, ce dossier et tous les autres messages restent comme ils étaient.',
    possible: 'Il ne peut être ni approuvé ni proposé. Vous pouvez le renvoyer, l’écarter ou le mettre en suspens.',
    says: (record, is, todo) => `${record} : ${is} ${todo}`,
    captions: 'Vous pouvez aussi écrire des sous-titres : les vôtres prennent la place de ceux-ci.',
    decision: 'Cette décision est illisible.',
    words: 'Les mots de cette décision sont illisibles.',
    link: 'La déclaration du lien lui-même ne tient pas. Terminez le lien et créez-en un nouveau.',
    authorNotReady: 'L’auteur·e n’a pas de clés vérifiées : vos mots restent donc dans le dossier. L’auteur·e apprend que le message est revenu ou clos, et le motif.',
    grantedNot: (count) => (count === 1 ? 'L’accès à un message n’a pas pu être remis : ouvrez-le pour voir pourquoi.' : `L’accès à ${count} messages n’a pas pu être remis : ouvrez-les pour voir pourquoi.`),
  },

  record: {
    claim: 'Les clés de cette personne',
    link: 'Le lien',
    consent: 'Ce que les deux ont dit de leur participation',
    message: 'Le message',
    body: 'Les mots',
    original: 'L’enregistrement d’origine',
    note: 'La note sur l’aide reçue',
    rendition: 'L’enregistrement préparé',
    poster: 'L’image fixe',
    captions: 'Les sous-titres',
    decision: 'Une décision',
    approvals: 'Les approbations',
    offer: 'La proposition',
    log: 'Le journal',
  },

  fault: {
    'not-from-link': {
      is: 'Ces clés n’ont pas été créées par quelqu’un qui avait le lien.',
      todo: 'Terminez le lien et remettez vous-même un nouveau lien à la personne. Écartez ce qui est venu avec ces clés.',
    },
    'unusable-key': {
      is: 'Rien ne peut être scellé pour ces clés.',
      todo: 'Terminez le lien et donnez-en un nouveau à la personne.',
    },
    'not-signed': {
      is: 'Ce n’est pas signé par une personne habilitée, ou c’est à propos d’autre chose.',
      todo: 'Ne vous y fiez pas. Demandez à la personne, par un autre moyen, si cela vient d’elle. Si cela persiste, avertissez l’administration.',
    },
    'too-few': {
      is: 'Moins de personnes ont approuvé exactement ceci que le dossier ne l’exige.',
      todo: 'Rouvrez l’examen et faites-le approuver de nouveau.',
    },
    'no-key': {
      is: 'C’est scellé de sorte que la clé de ce dossier ne l’ouvre pas.',
      todo: 'Demandez un nouvel envoi.',
    },
    'wrong-key': {
      is: 'La clé jointe n’est pas celle qui a été signée.',
      todo: 'Demandez un nouvel envoi.',
    },
    altered: {
      is: 'Ce que relay conserve n’est pas ce qui a été signé, ou manque.',
      todo: 'Demandez un nouvel envoi et avertissez l’administration.',
    },
    'not-text': {
      is: 'Le contenu ne se lit pas comme du texte.',
      todo: 'Demandez que ce soit récrit.',
    },
    'not-captions': {
      is: 'C’est illisible.',
      todo: 'Écrivez des sous-titres ou consignez pourquoi il n’y en a pas.',
    },
    'wrong-type': {
      is: 'C’est annoncé comme un type qui n’a pas sa place ici.',
      todo: 'Demandez un nouvel envoi.',
    },
  },
};
