/** How much asks for a mediator, as counts: what a case system is told, which may show no more than that. */

import type * as contract from './contract';
import type { Casework } from './casework';
import type { Reviewing } from './reviewing';

export async function attention(casework: Casework, reviewing: Reviewing): Promise<contract.Attention> {
  const [cases, figures] = [await casework.all(), await reviewing.figures()];
  const own = figures.filter(({ waitsFor }) => waitsFor === 'you');
  const needsTwo = cases.some(({ approvals }) => approvals > 1);
  return {
    waiting: own.reduce((sum, { messages }) => sum + messages, 0),
    secondApprovals: needsTwo ? await reviewing.countSecondApprovals(own) : 0,
    claims: cases.reduce((sum, { figures: { claims } }) => sum + claims, 0),
    casesToOpen: cases.filter(({ charterVersion }) => charterVersion === 0).length,
  };
}
