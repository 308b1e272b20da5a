"""The bytes of recordings in the requested forms, with their sizes, hashes and a cache of whole bodies."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from . import audio
from .model import Recording, seed_of
from .shelf import Body, Shelf

CACHE_BYTES = 256 << 20
CACHED_BODY_BYTES = 16 << 20
CHUNK_BYTES = 1 << 20


class Form(NamedTuple):
    """Which bytes of a recording. "full", what was recorded, is Form()."""

    kind: str = "wav"  # or "mp3"
    downmix: bool = False  # two stored channels as one
    wav_header: str | None = None  # None: the recording's own
    take: int = 0  # another one has other bytes


class Media:
    """Immutable content, so any number of readers; the cache is bounded."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._limit_bytes = cache_bytes
        self._held_bytes = 0
        self._cache: OrderedDict[tuple[str, int, Form], bytes] = OrderedDict()
        self._shelf = Shelf(cache_bytes)

    def size(self, recording: Recording, form: Form = Form()) -> int:
        if form.kind == "mp3":
            return recording.sample_count * 4000 // audio.RATE_HZ
        downmix = form.downmix and not recording.encrypted
        channels = 1 if downmix else recording.stored_channels
        header = form.wav_header or recording.wav_header
        size = (len(audio.wav_header(channels, recording.sample_count, header))
                + recording.sample_count * channels * audio.BYTES_PER_SAMPLE)
        return size + audio.CIPHER_OVERHEAD_BYTES if recording.encrypted else size

    def read(self, recording: Recording, form: Form, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length), cut at the end."""
        size = self.size(recording, form)
        offset, length = min(offset, size), max(0, min(length, size - offset))
        key = (recording.sid, recording.version, form)
        held = self._cache.get(key)
        if held is None and size <= CACHED_BODY_BYTES:
            held = self._make(recording, form, 0, size)
            self._keep(key, held)
        elif held is not None:
            self._cache.move_to_end(key)
        if held is None:
            return self._make(recording, form, offset, length)
        return held if length == size else held[offset:offset + length]

    def ready(self, recording: Recording, form: Form) -> Body | None:
        """All of it as it is sent, and its MD5; None where it is too long to be kept. Made once, for as long as there is
        room."""
        size = self.size(recording, form)
        if size > CACHED_BODY_BYTES:
            return None
        key = (recording.sid, recording.version, size, form)
        body = self._shelf.get(key)
        if body is None:
            content = self._make(recording, form, 0, size)
            body = self._shelf.put(key, content, hashlib.md5(content, usedforsecurity=False).hexdigest())
        return body

    def chunks(self, recording: Recording, form: Form, offset: int, length: int) -> Iterator[bytes | memoryview]:
        """The same in pieces."""
        end = offset + length
        if self.size(recording, form) <= CACHED_BODY_BYTES:
            view = memoryview(self.read(recording, form, offset, length))
            yield from (view[at:at + CHUNK_BYTES] for at in range(0, len(view), CHUNK_BYTES))
            return
        while offset < end:
            chunk = self._make(recording, form, offset, min(CHUNK_BYTES, end - offset))
            yield chunk
            offset += len(chunk)

    def digest(self, recording: Recording, algorithm: str, form: Form = Form()) -> str:
        """Hex; computed once. May take a second for hours of sound: call it in a thread."""
        key = (algorithm, recording.version, recording.sample_count, recording.stored_channels, form)
        if key not in recording.hashes:
            total = hashlib.new(algorithm, usedforsecurity=False)
            size, offset = self.size(recording, form), 0
            held = self._cache.get((recording.sid, recording.version, form))
            if held is not None:
                total.update(held)
                offset = size
            while offset < size:  # nothing is put into the cache: that is the event loop's alone
                chunk = self._make(recording, form, offset, min(CHUNK_BYTES, size - offset))
                total.update(chunk)
                offset += len(chunk)
            recording.hashes[key] = total.hexdigest()
        return recording.hashes[key]

    def _make(self, recording: Recording, form: Form, offset: int, length: int) -> bytes:
        seed, take = seed_of(recording.sid), form.take + (recording.version << 32)
        if take:
            seed ^= audio.mix(take)
        if form.kind == "mp3":
            return audio.mp3(seed, offset, length)
        if recording.encrypted:
            return audio.cipher(seed, offset, length)
        channels = 1 if form.downmix else recording.stored_channels
        header = audio.wav_header(channels, recording.sample_count, form.wav_header or recording.wav_header)
        head = header[offset:offset + length]
        length -= len(head)
        if not length:
            return head
        block = channels * audio.BYTES_PER_SAMPLE
        begin = max(0, offset - len(header))
        first, last = begin // block, (begin + length - 1) // block
        body = audio.samples(seed, recording.stored_channels, first, last - first + 1,
                             downmix=form.downmix and recording.stored_channels > 1)
        if head or len(body) != length:
            return head + body[begin - first * block:begin - first * block + length]
        return body

    def _keep(self, key: tuple[str, int, Form], body: bytes) -> None:
        self._cache[key] = body
        self._held_bytes += len(body)
        while self._held_bytes > self._limit_bytes:
            _, dropped = self._cache.popitem(last=False)
            self._held_bytes -= len(dropped)
