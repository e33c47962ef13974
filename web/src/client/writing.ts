/** What a participant signs and seals, without sending it: the offline half of the client. */

import type { VerifiedCharter } from '../crypto/chain';
import type { Signer } from '../crypto/signing';
import { statementHash } from '../crypto/signing';
import * as statements from '../crypto/statements';
import type { Kind, Language, Uuid } from './contract';
import { newId, now } from './stamps';
import type { components } from './schema';
import type { Reader, Sealed, SealedText } from './sealing';
import { bodyOf, grant, sealText } from './sealing';

type Schemas = components['schemas'];

/** Which message is written, to whom, and which earlier revision it replaces. */
export interface Address {
  readonly message: Uuid;
  readonly revision: number;
  /** Hash of the previous revision, base64url. */
  readonly supersedes: string | null;
  readonly to: Uuid;
  readonly language: Language;
}

export function pathOf({ message, revision }: Address): string {
  return `/v1/messages/${message}/revisions/${revision}`;
}

/** A new message; or the next revision of an old one, which keeps its recipient. */
export function address(to: Uuid, language: Language, revises: Schemas['AuthorMessage'] | null): Address {
  if (revises === null) return { message: newId(), revision: 1, supersedes: null, to, language };
  return {
    message: revises.message,
    revision: revises.revision + 1,
    supersedes: revises.statement === null ? null : statementHash(revises.statement),
    to: revises.to,
    language,
  };
}

/** Signs and seals for one participant of a case. */
export class Writer {
  constructor(
    readonly caseId: Uuid,
    readonly participant: Uuid,
    private readonly signer: Signer,
    /** Their own age recipient; null through an upload link, which cannot read. */
    private readonly recipient: string | null,
  ) {}

  /** The sealed texts of a letter: the same ones are granted and signed again if the charter changes. */
  letterTexts(text: string, assistant: string | null): readonly SealedText[] {
    return [sealText(this.caseId, 'body', text), ...this.assistantNote(assistant)];
  }

  /** Who helped to write it, for the mediators and for the author who was helped; never for anybody else. */
  assistantNote(assistant: string | null): readonly SealedText[] {
    return assistant === null ? [] : [sealText(this.caseId, 'note', assistant)];
  }

  /** A letter under this charter, for the case and for its author. */
  letter(charter: VerifiedCharter, to: Address, texts: readonly SealedText[]): Schemas['Submission'] {
    return { statement: this.message(charter, to, 'letter', texts), grants: this.grants(charter, texts), bodies: texts.map(bodyOf) };
  }

  /** A video under this charter, for the case, its media workers and its author. */
  video(charter: VerifiedCharter, to: Address, original: Sealed, notes: readonly SealedText[]): Schemas['Submission'] {
    const workers = mediaReaders(charter);
    return {
      statement: this.message(charter, to, 'video', [original, ...notes]),
      grants: [...this.grants(charter, [original, ...notes]), ...workers.map((worker) => grant(original, worker))],
      bodies: notes.map(bodyOf),
    };
  }

  /** The withdrawal of a message. */
  withdrawal(message: Uuid): Schemas['SignedRequest'] {
    return this.sign(statements.Withdrawal, { at: now(), case: this.caseId, message, participant: this.participant });
  }

  /** An answer to an offer. */
  response(
    message: Schemas['RecipientMessage'],
    answer: statements.Response['answer'],
    tellAuthor: boolean,
  ): Schemas['SignedRequest'] {
    return this.sign(statements.Response, {
      at: now(),
      case: this.caseId,
      message: message.message,
      offer: statementHash(message.offer),
      answer,
      tell_author: tellAuthor,
    });
  }

  private message(charter: VerifiedCharter, to: Address, kind: Kind, parts: readonly Sealed[]): string {
    return signMessage(this.signer, charter, this.participant, to, kind, parts);
  }

  /** For the case, and for the author if they have a key. */
  private grants(charter: VerifiedCharter, parts: readonly Sealed[]): Schemas['Grant'][] {
    const readers: Reader[] = [caseReader(charter)];
    if (this.recipient !== null) readers.push({ audience: 'author', id: this.participant, recipient: this.recipient });
    return parts.flatMap((part) => readers.map((reader) => grant(part, reader)));
  }

  private sign<Said extends statements.Statement>(kind: statements.Kind<Said>, said: statements.Unsigned<Said>): Schemas['SignedRequest'] {
    return { statement: statements.sign(this.signer, kind, said) };
  }
}

/** One revision of a message, signed under a charter. */
export function signMessage(
  signer: Signer,
  { case: caseId, statementHash: charter }: VerifiedCharter,
  from: Uuid,
  { message, revision, supersedes, to, language }: Address,
  kind: Kind,
  parts: readonly Sealed[],
): string {
  return statements.sign(signer, statements.Message, {
    at: now(),
    case: caseId,
    charter,
    message,
    revision,
    supersedes,
    from,
    to,
    kind,
    language,
    parts: parts.map(({ part }) => part),
  });
}

export function caseReader(charter: VerifiedCharter): Reader {
  return { audience: 'case', id: charter.case, recipient: charter.recipient };
}

/** The media workers that a video may be sealed for now. */
export function mediaReaders(charter: VerifiedCharter): Reader[] {
  return charter
    .mediaAt(now())
    .flatMap(({ credential: id, recipient }) => (recipient === null ? [] : [{ audience: 'media', id, recipient } as const]));
}
