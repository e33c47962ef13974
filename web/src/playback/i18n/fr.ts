/** Sentences of the player, in French. */

import type { Catalogue } from '../../i18n/catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  player: 'Lecteur vidéo',
  soundPlayer: 'Lecteur audio',
  play: 'Lire',
  pause: 'Mettre en pause',
  position: 'Position dans la lecture',
  at: (now, end) => `${now} sur ${end}`,
  mute: 'Couper le son',
  unmute: 'Mettre le son',
  volume: 'Niveau sonore',
  speed: 'Vitesse',
  captions: 'Sous-titres',
  fullScreen: 'Plein écran',
  leaveFullScreen: 'Quitter le plein écran',
  clear: 'Montrer l’image clairement',
  blur: 'Flouter l’image',
  guarded: 'L’image est floue et grise, et le son est coupé, jusqu’à ce que vous en décidiez autrement.',
  transcript: 'Ce qui est dit',
  loading: 'Chargement de l’enregistrement…',
  loadingWhole: 'Chargement de tout l’enregistrement d’abord, car ce navigateur ne peut pas la lire morceau par morceau…',
  failed: 'L’enregistrement ne peut pas être lu maintenant. Vérifiez votre connexion, puis réessayez.',
  again: 'Réessayer',
};
