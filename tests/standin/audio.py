"""Generated sound: any range of any recording's bytes, from its seed alone.

Speech-like: a palette of 200 ms syllables in a few voices, three formants each, strung together by a hash of (seed,
channel, position). The two parties of a call take turns. Nothing is read from or kept on a disk, and a range costs
about what copying it costs.

facts: WAV is 8 kHz, 16 bit, 16,000 bytes per second and channel; MP3 is 4,000 bytes per second; the WAV header is
usually 44 bytes, not always; what was encrypted with the customer's key is ciphertext.
"""

from __future__ import annotations

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
BYTES_PER_SAMPLE = 2
SYLLABLE_SAMPLES = RATE_HZ // 5
SYLLABLES = 56  # per voice
PAUSES = 8  # after them: breath and room
VOICES = 8
TURN_SYLLABLES = 15
CIPHER_OVERHEAD_BYTES = 16  # the tag of AES-GCM
MP3_FRAME_BYTES = 288  # MPEG 2.5, layer III, 8 kHz, 32 kbit/s: 72 ms
WAV_HEADERS = ("plain", "list", "fact", "streaming")

_MASK = (1 << 64) - 1
_M1, _M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_GOLDEN = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    """The finalizer of splitmix64: a bijection of 64-bit numbers."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * _M1) & _MASK
    value = ((value ^ (value >> 27)) * _M2) & _MASK
    return value ^ (value >> 31)


def unmix(value: int) -> int:
    """What mix() made value of."""
    value ^= (value >> 31) ^ (value >> 62)
    value = (value * pow(_M2, -1, 1 << 64)) & _MASK
    value ^= (value >> 27) ^ (value >> 54)
    value = (value * pow(_M1, -1, 1 << 64)) & _MASK
    return value ^ (value >> 30) ^ (value >> 60)


def mix_array(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """mix() of each."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_M1)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_M2)
    return values ^ (values >> np.uint64(31))


def _hashes(seed: int, first: int, count: int) -> NDArray[np.uint64]:
    """A hash for each position from first on."""
    positions = np.arange(first, first + count, dtype=np.uint64)
    return mix_array(positions * np.uint64(_GOLDEN) ^ np.uint64(seed & _MASK))


@cache
def _palette() -> NDArray[np.int16]:
    """(VOICES * (SYLLABLES + PAUSES), SYLLABLE_SAMPLES) samples."""
    random = np.random.Generator(np.random.PCG64(20101))
    time_secs = np.arange(SYLLABLE_SAMPLES) / RATE_HZ
    edge = np.minimum(1.0, np.minimum(np.arange(SYLLABLE_SAMPLES), np.arange(SYLLABLE_SAMPLES)[::-1]) / 160)
    rows = []
    for voice in range(VOICES):
        pitch_hz = 95 + 20 * voice
        for _ in range(SYLLABLES):
            glide = random.uniform(-0.12, 0.12)
            phase = 2 * np.pi * pitch_hz * random.uniform(0.9, 1.15) * (time_secs + glide * time_secs ** 2 / 0.2)
            formants = (random.uniform(280, 800), random.uniform(900, 2200), random.uniform(2300, 3200))
            harmonics = np.arange(1, int(3600 / pitch_hz))
            weights = np.full(len(harmonics), 0.02)
            for weight, formant in zip((1.0, 0.6, 0.3), formants, strict=True):
                weights += weight / (1 + ((harmonics * pitch_hz - formant) / 110) ** 2)
            sound, last = np.zeros(SYLLABLE_SAMPLES), np.zeros(SYLLABLE_SAMPLES)
            wave, twice_cosine = np.sin(phase), 2 * np.cos(phase)
            for weight in weights:  # sin((n + 1) x) = 2 cos(x) sin(n x) - sin((n - 1) x)
                sound += weight * wave
                last, wave = wave, twice_cosine * wave - last
            if random.random() < 0.5:  # a consonant at the front
                length = int(random.integers(160, 480))
                sound[:length] = sound[:length] * 0.2 + random.normal(0, 0.4, length) * np.linspace(1, 0, length)
            peak = random.uniform(5000, 14000)
            rows.append(sound / np.abs(sound).max() * peak * edge + random.normal(0, 24, SYLLABLE_SAMPLES))
        rows += [random.normal(0, random.uniform(16, 60), SYLLABLE_SAMPLES) for _ in range(PAUSES)]
    return np.rint(np.array(rows)).clip(-32768, 32767).astype("<i2")


def _channel(seed: int, channel: int, first: int, count: int) -> NDArray[np.int16]:
    """The syllables [first, first + count) of one party, as samples."""
    voice = mix(seed ^ (channel + 1)) % VOICES
    chosen = _hashes(seed + 0x1000 * (channel + 1), first, count) % np.uint64(SYLLABLES + PAUSES)
    turns = np.arange(first, first + count, dtype=np.uint64) // np.uint64(TURN_SYLLABLES)
    speaker = mix_array(turns ^ np.uint64(mix(seed ^ 0x7075))) % np.uint64(3)  # now and then both at once
    quiet = speaker == np.uint64(1 - channel) if channel in (0, 1) else np.zeros(count, bool)
    pause = np.uint64(SYLLABLES) + chosen % np.uint64(PAUSES)
    row = np.where(quiet, pause, chosen) + np.uint64(voice * (SYLLABLES + PAUSES))
    return _palette()[row.astype(np.intp)].reshape(-1)


def samples(seed: int, stored_channels: int, first: int, count: int, *, downmix: bool = False) -> bytes:
    """Interleaved little-endian samples [first, first + count) of all channels, or of their mono downmix."""
    if count <= 0:
        return b""
    begin = first // SYLLABLE_SAMPLES
    number = (first + count - 1) // SYLLABLE_SAMPLES - begin + 1
    cut = slice(first - begin * SYLLABLE_SAMPLES, first - begin * SYLLABLE_SAMPLES + count)
    if stored_channels == 1:
        return _channel(seed, 0, begin, number)[cut].tobytes()
    parties = [_channel(seed, channel, begin, number)[cut] for channel in range(stored_channels)]
    if downmix:
        total = np.zeros(count, dtype=np.int32)
        for party in parties:
            total += party
        return (total // stored_channels).astype("<i2").tobytes()
    return np.stack(parties, axis=1).tobytes()


def wav_header(channels: int, sample_count: int, kind: str = "plain") -> bytes:
    """RIFF head up to the first sample. kind: one of WAV_HEADERS; "streaming" leaves the sizes open."""
    data_bytes = sample_count * channels * BYTES_PER_SAMPLE
    block = channels * BYTES_PER_SAMPLE
    chunks = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE_HZ, RATE_HZ * block, block, 16)
    if kind == "list":
        chunks += struct.pack("<4sI4s4sI14s", b"LIST", 26, b"INFO", b"ISFT", 14, b"Lavf58.29.100")
    elif kind == "fact":
        chunks += struct.pack("<4sII", b"fact", 4, sample_count)
    elif kind not in WAV_HEADERS:
        raise ValueError(f"no such WAV header: {kind}")
    riff_bytes = 4 + len(chunks) + 8 + data_bytes
    if kind == "streaming":
        riff_bytes = data_bytes = 0xFFFFFFFF
    return struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE") + chunks + struct.pack("<4sI", b"data", data_bytes)


def cipher(seed: int, offset: int, length: int) -> bytes:
    """The range of a ciphertext: noise."""
    if length <= 0:
        return b""
    first = offset // 8
    words = _hashes(mix(seed ^ 0xC1F4), first, (offset + length - 1) // 8 - first + 1)
    return words.astype("<u8").tobytes()[offset - first * 8:offset - first * 8 + length]


def mp3(seed: int, offset: int, length: int) -> bytes:
    """The range of a formal MP3: well-formed frames of silence, whose unused bits differ."""
    if length <= 0:
        return b""
    first = offset // MP3_FRAME_BYTES
    count = (offset + length - 1) // MP3_FRAME_BYTES - first + 1
    words = _hashes(mix(seed ^ 0x3E93), first * MP3_FRAME_BYTES // 8, count * MP3_FRAME_BYTES // 8)
    frames = words.view(np.uint8).reshape(count, MP3_FRAME_BYTES).copy()
    frames[:, :13] = np.frombuffer(b"\xff\xe3\x48\xc4" + b"\0" * 9, np.uint8)  # head, empty side information
    frames[frames == 0xFF] = 0xFE  # no second sync word
    frames[:, 0] = 0xFF
    return frames.tobytes()[offset - first * MP3_FRAME_BYTES:offset - first * MP3_FRAME_BYTES + length]
