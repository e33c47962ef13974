/** Sentences of the recorder, in French. */

import type { Catalogue } from '../../words/catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  intro: 'Votre caméra et votre micro ne s’allument que lorsque vous appuyez sur le bouton. Rien ne quitte cet appareil avant que vous l’envoyiez.',
  start: 'Allumer la caméra et le micro',
  starting: 'Votre navigateur peut vous demander d’autoriser la caméra et le micro.',
  camera: 'Caméra',
  microphone: 'Micro',
  unnamedCamera: (number) => `Caméra ${String(number)}`,
  unnamedMicrophone: (number) => `Micro ${String(number)}`,
  level: 'Niveau du son',
  levelQuiet: 'Très faible. Dites quelques mots, ou rapprochez-vous.',
  levelGood: 'On entend bien votre voix.',
  levelLoud: 'Très fort. Reculez un peu.',
  record: 'Commencer l’enregistrement',
  countdown: (seconds) => `L’enregistrement commence dans ${String(seconds)}`,
  cancel: 'Annuler',
  recording: 'Enregistrement en cours',
  paused: 'En pause',
  recorded: (time) => `Enregistré : ${time}`,
  pause: 'Mettre en pause',
  resume: 'Continuer',
  stop: 'Arrêter l’enregistrement',
  limit: 'Un enregistrement peut durer une heure. Il s’arrêtera de lui-même dans moins de cinq minutes.',
  limitReached: 'L’heure est écoulée, l’enregistrement s’est donc arrêté. Rien n’est perdu.',
  watch: 'Regardez-le avant de décider.',
  preview: 'Votre enregistrement',
  live: 'Ce que voit la caméra',
  use: 'Utiliser cet enregistrement',
  again: 'Enregistrer de nouveau',
  againSure: 'Enregistrer de nouveau efface celui-ci.',
  off: 'Éteindre la caméra et le micro',
  faults: {
    denied: 'La caméra ou le micro n’a pas été autorisé. Autorisez-les pour cette page dans votre navigateur, à côté de l’adresse, puis réessayez. Vous pouvez aussi choisir une vidéo déjà faite.',
    missing: 'Aucune caméra et aucun micro n’ont été trouvés. Branchez-les, ou choisissez une vidéo déjà faite.',
    busy: 'La caméra ou le micro est utilisé par un autre programme. Fermez-le, puis réessayez.',
    unsupported: 'Ce navigateur ne peut pas enregistrer. Faites la vidéo avec l’appareil photo de votre téléphone, et choisissez-la ici.',
    broken: 'L’enregistrement s’est interrompu. Ce qui a été enregistré jusque-là est gardé : regardez-le, ou recommencez.',
  },
};
