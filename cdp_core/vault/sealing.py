"""Authenticated encryption of one secret. Imported where a file of the vault is opened or written."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_NONCE = 12
_KEY = 32


def sealed(content: bytes, key: bytes, name: str) -> bytes:
    """A fresh nonce and the content encrypted for this name (AES-256-GCM)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, name.encode())


def opened(found: bytes, key: bytes, name: str) -> bytes:
    """The content; raises `ValueError` where key, name or bytes are not those that it was sealed with."""
    try:
        return AESGCM(key).decrypt(found[:_NONCE], found[_NONCE:], name.encode())
    except InvalidTag:
        raise ValueError("not what was sealed") from None


def key_from(phrase: str, salt: bytes) -> bytes:
    """A key from a phrase: some 60 ms and 16 MB for each guess (scrypt, RFC 7914)."""
    return Scrypt(salt=salt, length=_KEY, n=2**14, r=8, p=1).derive(phrase.encode())
