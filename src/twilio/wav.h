/* The head of a RIFF/WAVE file, parsed chunk by chunk ("Multimedia Programming Interface and Data
 * Specifications 1.0", IBM and Microsoft, 1991): it need not have the usual 44 bytes. Pure;
 * thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wav_info {
	int format, channels, bits_per_sample;
	int64_t sample_rate_hz, bytes_per_sec;
	int64_t data_offset_bytes; /* -1: not reached */
	int64_t data_size_bytes; /* -1: the header has 0 or 0xFFFFFFFF, as streaming writers leave it */
	int64_t riff_size_bytes; /* of the whole file by the header (RIFF size + 8); -1: unknown */
};

/* 0; -EAGAIN: a WAV file so far, but n bytes do not reach the data chunk (*ret_info has the
 * fields seen so far; channels 0: no fmt chunk yet); -EINVAL: not a WAV file. */
int wav_parse(const void *bytes, size_t n, struct wav_info *ret_info);
