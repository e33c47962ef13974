/** Sentences of the small elements that every page shares, in French. */

import type { Catalogue } from '../../i18n/catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  otherLanguage: 'English',
  leaveNow: 'Quitter',
  calls: {
    line: (name) => `${name}\u00a0:`,
    programme: (name) => `Pour joindre ${name}\u00a0:`,
  },
  strength: {
    label: 'Solidité de votre phrase secrète',
    empty: 'Au moins 12 caractères. Des mots sans rapport entre eux conviennent bien.',
    weak: 'Facile à deviner. Vous pouvez l’utiliser, mais quelques mots de plus vous protégeraient mieux.',
    fair: 'Moyenne. Un ou deux mots de plus la rendraient difficile à deviner.',
    good: 'Bonne.',
    strong: 'Solide.',
  },
  weakness: {
    'passphrase-short': 'Un peu plus longue, s’il vous plaît : au moins 12 caractères.',
    'passphrase-repeats': 'Les mêmes caractères reviennent sans cesse. Choisissez des mots différents.',
    'passphrase-uniform': 'Elle compte trop peu de caractères différents. Utilisez-en au moins 6 différents.',
    'passphrase-from-link': 'C’est un morceau de votre lien, et qui trouverait le lien l’aurait aussi. Choisissez d’autres mots.',
  },
  suggestion: {
    four: 'Proposer quatre mots',
    six: 'Proposer six mots',
    given: 'Ces mots ont été tirés au hasard, et le champ les montre. Notez-les, et gardez cette note là où vous seul ou seule la trouverez.',
    failed: 'Les mots n’ont pas pu être chargés. Vérifiez la connexion et réessayez, ou choisissez les vôtres.',
  },
  idle: {
    heading: 'Êtes-vous encore là ?',
    willLock: (seconds) => `Pour votre sécurité, cette page se verrouille dans ${String(seconds)} secondes. Ce que vous avez écrit est enregistré.`,
    willEnd: (seconds) => `Dans ${String(seconds)} secondes, tout sera effacé de cet appareil. Ce qui n’a été ni envoyé ni enregistré sera perdu.`,
    stay: 'Je suis encore là',
  },
};
