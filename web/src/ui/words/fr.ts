/** Sentences of the small elements that every page shares, in French. */

import type { Catalogue } from '../../words/catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  otherLanguage: 'English',
  leaveNow: 'Quitter',
  strength: {
    label: 'Solidité de votre phrase secrète',
    empty: 'Rien pour le moment',
    weak: 'Facile à deviner. Vous pouvez l’utiliser, mais quelques mots de plus vous protégeraient mieux.',
    fair: 'Moyenne. Un ou deux mots de plus la rendraient difficile à deviner.',
    good: 'Bonne.',
    strong: 'Solide.',
  },
  idle: {
    heading: 'Êtes-vous encore là ?',
    willLock: (seconds) => `Pour votre sécurité, cette page se verrouille dans ${String(seconds)} secondes. Ce que vous avez écrit reste scellé.`,
    willEnd: (seconds) => `Dans ${String(seconds)} secondes, tout sera effacé de cet appareil. Ce qui n’a pas été envoyé sera perdu.`,
    stay: 'Je suis encore là',
  },
};
