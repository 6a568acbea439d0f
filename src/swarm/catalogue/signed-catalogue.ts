import { privateKeyFromProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromString } from '@libp2p/peer-id';
import { Fault } from '../../base/fault.ts';
import { decodeCbor, encodeCbor } from '../network/cbor-value.ts';
import { CATALOGUE_LIMITS, type Catalogue } from './catalogue.ts';
import { decodeCatalogue, encodeCatalogue } from './catalogue-codec.ts';

/** Put before what is signed, so that a signature of another purpose is never one of a catalogue. */
const DOMAIN = Buffer.from('shp-catalogue-v1:');

/** @param privateKey libp2p's protobuf form */
export async function signCatalogue(catalogue: Catalogue, privateKey: Uint8Array): Promise<Uint8Array> {
  const key = privateKeyFromProtobuf(privateKey);
  const payload = encodeCatalogue(catalogue);
  const signature = await key.sign(Buffer.concat([DOMAIN, payload]));
  return encodeCbor({ payload, signature });
}

/**
 * @param peer the one that must have signed it
 * @throws Fault `corrupt/bad-catalogue` (fields: peer) when it is malformed, of another peer, or its signature is wrong
 */
export async function openCatalogue(signed: Uint8Array, peer: string): Promise<Catalogue> {
  const bad = (why: string, cause?: unknown) =>
    new Fault('corrupt', 'bad-catalogue', `the catalogue of ${peer} is bad: ${why}`, {
      cause,
      fields: { peer },
    });
  try {
    const envelope = decodeCbor(signed, 'signed catalogue');
    // A station's peer id is its Ed25519 key itself, so that nothing else needs to be believed.
    const key = peerIdFromString(peer).publicKey;
    if (key === undefined) throw bad('its peer id holds no key');
    const payload = envelope.field('payload').bytes(CATALOGUE_LIMITS.bytes);
    const signature = envelope.field('signature').bytes(1024);
    if (!(await key.verify(Buffer.concat([DOMAIN, payload]), signature))) {
      throw bad('its signature is wrong');
    }
    const catalogue = decodeCatalogue(payload);
    if (catalogue.peer !== peer) throw bad(`it speaks for ${catalogue.peer}`);
    return catalogue;
  } catch (error) {
    if (error instanceof Fault && error.code === 'bad-catalogue') throw error;
    throw bad((error as Error).message, error);
  }
}
