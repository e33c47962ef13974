/** What is said of a link itself, in French. */

import type { Catalogue } from '../../../i18n/catalogue';
import type { en } from './en';

export const fr: Catalogue<typeof en> = {
  kiosk: {
    heading: 'Ouvrir un lien sur un ordinateur partagé',
    text: 'Cette page est faite pour un ordinateur partagé, avec une personne du personnel à vos côtés. Rien de la visite n’est gardé sur cet ordinateur.',
    notAddress: 'N’écrivez pas et ne collez pas le lien dans la barre d’adresse du navigateur : un navigateur note chaque adresse. Donnez le lien à cette page de l’une des deux façons suivantes.',
    scan: {
      heading: 'Numériser le code QR',
      text: 'Tenez le code QR devant la caméra. Il se trouve sur la feuille de votre médiatrice ou médiateur, ou sur un téléphone. L’image reste dans cette page.',
      start: 'Allumer la caméra',
      starting: 'La caméra s’allume. Le navigateur peut demander une permission.',
      looking: 'Recherche d’un code.',
      notYet: 'Aucun code n’a encore été trouvé. Tenez-le plus près, bien droit et bien éclairé. Ou collez ou écrivez le lien ci-dessous.',
      notLink: 'Ce code n’est pas un lien pour des messages. Montrez le code de votre médiatrice ou médiateur.',
      elsewhere: 'Ce code est un lien vers un autre site. Demandez à votre médiatrice ou médiateur.',
      other: 'Utiliser une autre caméra',
      stop: 'Éteindre la caméra',
      tooLong: 'Aucun code n’a été trouvé, et la caméra est de nouveau éteinte. Vous pouvez réessayer, ou coller ou écrire le lien ci-dessous.',
      picture: 'Ce que voit la caméra',
      fault: {
        denied: 'Le navigateur ne laisse pas cette page utiliser la caméra. Permettez-le dans les réglages du navigateur pour ce site, ou collez ou écrivez le lien ci-dessous.',
        missing: 'Aucune caméra n’a été trouvée. Collez ou écrivez le lien ci-dessous.',
        busy: 'Un autre programme utilise la caméra. Fermez-le et réessayez, ou collez ou écrivez le lien ci-dessous.',
        unsupported: 'La caméra ne peut pas être utilisée dans ce navigateur. Collez ou écrivez le lien ci-dessous.',
        offline: 'Une partie de cette page n’a pas pu être chargée. Vérifiez la connexion et réessayez, ou collez ou écrivez le lien ci-dessous.',
      },
    },
    field: {
      heading: 'Ou coller ou écrire le lien',
      label: 'Le lien entier',
      hint: 'Il commence par le nom de ce site et se termine, après le #, par 64 lettres, chiffres, - ou _.',
      open: 'Ouvrir le lien',
      missing: 'Collez ou écrivez d’abord le lien.',
      notLink: 'Ce n’est pas un lien entier. Vérifiez-le jusqu’au dernier caractère.',
      elsewhere: 'Ce lien mène à un autre site. Demandez à votre médiatrice ou médiateur.',
    },
    receipt: 'J’ai un reçu et je veux savoir où en est mon message',
    startOver: 'Utiliser un autre lien',
    idle: 'Personne n’a utilisé cette page depuis un moment. Dans moins d’une minute, tout est effacé.',
  },
  exposed: {
    heading: 'Ce lien est dans l’historique du navigateur',
    text: 'Le lien a été ouvert comme une adresse. Un navigateur note chaque adresse dans son historique, et la prochaine personne à cet ordinateur pourrait y trouver le lien. Sur un ordinateur partagé, cette page ne continue pas avec lui.',
    steps: 'Faites ceci maintenant',
    guest: 'Si cette fenêtre est une fenêtre d’invité ou privée, fermez toutes ses fenêtres : son historique disparaît avec elle.',
    clear: 'Sinon, effacez l’historique d’aujourd’hui dans ce navigateur. Dans la plupart des navigateurs, les touches Ctrl, Maj et Suppr ensemble y mènent.',
    then: 'Ouvrez ensuite la page pour ordinateurs partagés, et numérisez, collez ou écrivez le lien à cet endroit.',
    renew: 'Si l’historique ne peut pas être effacé, appelez la médiatrice ou le médiateur et demandez un nouveau lien. Le lien de l’historique n’ouvre alors plus rien.',
    kiosk: 'Ouvrir la page pour ordinateurs partagés',
  },
  another: {
    heading: 'Ce n’est pas le lien que cet appareil connaît',
    text: 'Cet appareil a gardé votre lien. L’adresse qui vient d’être ouverte est celle du même lien, mais elle nomme une autre organisation à qui se fier. Quelqu’un a pu la modifier.',
    nothing: 'Rien n’a été envoyé. Ce que cet appareil garde est resté tel quel.',
    todo: 'Appelez votre médiatrice ou médiateur, à un numéro que vous aviez déjà.',
    kept: 'Continuer avec le lien que cet appareil connaît',
    told: 'Ma médiatrice ou mon médiateur m’a dit d’utiliser la nouvelle adresse',
    toldText: 'Ce que cet appareil garde pour l’ancienne adresse est d’abord effacé : le lien, les lettres et les enregistrements qui n’ont pas été envoyés, ou pas en entier. C’est définitif.',
    replace: 'Effacer et utiliser la nouvelle adresse',
  },
};
