/*
 * The head of a RIFF/WAVE file, parsed chunk by chunk ("Multimedia Programming Interface and Data Specifications 1.0", IBM and
 * Microsoft, 1991). Never assumes the usual 44 bytes.
 */
#ifndef TONICFS_TWILIO_WAV_H
#define TONICFS_TWILIO_WAV_H

#include <stddef.h>
#include <stdint.h>

struct wav_info {
	int format, channels, bits_per_sample;
	int64_t sample_rate_hz, bytes_per_sec;
	int64_t data_offset_bytes; /* -1: not reached */
	int64_t data_size_bytes;   /* -1: 0 or 0xFFFFFFFF, as streaming writers leave it */
	int64_t riff_size_bytes; /* whole file as the header says it (RIFF size + 8); -1: unknown */
};

/* 0; -EAGAIN: a WAV so far, but the data chunk is not reached within n bytes (*ret_info has what was seen; channels 0: no fmt chunk yet);
 * -EINVAL: no WAV. */
int wav_parse(const void *bytes, size_t n, struct wav_info *ret_info);

#endif
