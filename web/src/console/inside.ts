/** The screens behind the lock, fetched once keys were opened. */

import './queue';
import './review';
import './captions';
import './letter';
import './cases';
import './case';
import './keys';
import './new-case';
