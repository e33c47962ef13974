/** The sentences of the console's lists in French: whose turn it is, what there is to do where, and finding it again. */

import type { Catalogue } from '../../i18n/catalogue';
import type { lists as english } from './lists.en';

export const lists: Catalogue<typeof english> = {
  turn: {
    you: 'À vous',
    mediator: 'À un·e collègue',
    sender: 'À l’auteur·e',
    recipient: 'Au destinataire',
    relay: 'À relay',
    ended: 'Ouverts ou terminés',
  },

  lists: {
    all: 'tous',
    approvedByYou: 'Vous l’avez approuvé. Un·e collègue doit aussi l’approuver.',
    emptyYou: 'Rien n’attend de votre part.',
    endedOn: (state, at) => `${state}, ${at}`,
    waits: 'À qui d’agir',
    anybody: 'Peu importe',
    next: 'Message suivant',
    noNext: 'Rien d’autre n’attend de votre part.',
    about: (act, what) => `${act} : ${what}`,
    past: 'Ouverts ou terminés',
    nonePast: 'Aucun pour l’instant.',
  },

  finding: {
    label: 'Chercher un dossier ou une personne',
    hint: 'Par référence, par rôle, par un nom qu’affiche votre système de dossiers, par le repère d’une feuille, ou par la référence de la personne dans votre système de dossiers.',
    found: (count) => (count < 2 ? `${count} dossier` : `${count} dossiers`),
    none: 'Aucun de vos dossiers ne correspond.',
    mark: (mark) => `repère ${mark}`,
    count: {
      you: (count) => (count < 2 ? `${count} message pour vous` : `${count} messages pour vous`),
      mediator: (count) => `${count} pour un·e collègue`,
      sender: (count) => `${count} pour l’auteur·e`,
      recipient: (count) => `${count} pour le destinataire`,
      relay: (count) => `${count} pour relay`,
      claims: (count) => (count < 2 ? `${count} lien utilisé à vérifier` : `${count} liens utilisés à vérifier`),
      unusedLinks: (count) => (count < 2 ? `${count} lien pas encore utilisé` : `${count} liens pas encore utilisés`),
    },
  },

  place: {
    message: (kind, reference) => `${kind}, dossier ${reference}`,
    captions: (reference) => `Sous-titres, dossier ${reference}`,
  },
};
