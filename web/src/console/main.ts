/** Entry of the mediators' console. */

import './app';
