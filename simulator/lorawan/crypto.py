"""Keys, integrity codes and encryption of LoRaWAN 1.0.x.

Source: LoRaWAN 1.0.3 specification, §4.3.3 (payload encryption), §4.4 (MIC), §6.2.4 and §6.2.5 (join, session keys).
All integers travel little endian; keys are 16 bytes.
"""

from enum import IntEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
MIC_SIZE = 4
NWK_S_KEY, APP_S_KEY = 1, 2
MIC_BLOCK, CIPHER_BLOCK = 0x49, 0x01
SIZE_OF_EUI = 8


class Direction(IntEnum):
    """Which way a data frame goes."""

    UP = 0
    DOWN = 1


class SessionKeys(NamedTuple):
    """The two keys of a session: one for the network's part, one for the application's."""

    nwk_s_key: bytes
    app_s_key: bytes


class Place(NamedTuple):
    """What makes each frame's codes its own: direction, address, and all 32 bits of the counter."""

    direction: Direction
    dev_addr: bytes
    f_cnt: int

    def block(self, first: int, last: int) -> bytes:
        """The block A_i or B_0 of the specification."""
        counter = self.f_cnt.to_bytes(4, "little")
        return bytes((first, 0, 0, 0, 0, self.direction)) + self.dev_addr[::-1] + counter + bytes((0, last))


def encrypt_blocks(key: bytes, blocks: bytes) -> bytes:
    """AES-128 of each block by itself, as LoRaWAN builds everything else on it."""
    encryptor = Cipher(AES128(key), ECB()).encryptor()  # noqa: S305 - the specification's own construction
    return encryptor.update(blocks) + encryptor.finalize()


def decrypt_blocks(key: bytes, blocks: bytes) -> bytes:
    """The inverse; network servers encrypt join accepts with it, so that devices need only encryption."""
    decryptor = Cipher(AES128(key), ECB()).decryptor()  # noqa: S305 - the specification's own construction
    return decryptor.update(blocks) + decryptor.finalize()


def mic(key: bytes, message: bytes) -> bytes:
    """The first four bytes of AES-CMAC: the integrity code of joins."""
    code = CMAC(AES128(key))
    code.update(message)
    return code.finalize()[:MIC_SIZE]


def data_mic(key: bytes, place: Place, message: bytes) -> bytes:
    """The integrity code of a data frame, over everything from MHDR to the encrypted payload."""
    return mic(key, place.block(MIC_BLOCK, len(message)) + message)


def cipher(key: bytes, place: Place, payload: bytes) -> bytes:
    """A payload encrypted; applied twice it is plain again."""
    count = -(-len(payload) // BLOCK)
    blocks = b"".join(place.block(CIPHER_BLOCK, number) for number in range(1, count + 1))
    stream = encrypt_blocks(key, blocks)[: len(payload)]
    return bytes(one ^ other for one, other in zip(payload, stream, strict=True))


def session_keys(app_key: bytes, app_nonce: int, net_id: int, dev_nonce: int) -> SessionKeys:
    """What both sides make of the nonces of a join."""
    nonces = app_nonce.to_bytes(3, "little") + net_id.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little")
    made = [encrypt_blocks(app_key, (bytes((which,)) + nonces).ljust(BLOCK, b"\0")) for which in (NWK_S_KEY, APP_S_KEY)]
    return SessionKeys(*made)
