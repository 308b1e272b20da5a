/* The head of a WAV file. */
#include "twilio/wav.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define RIFF_HEAD_BYTES 12
#define CHUNK_HEAD_BYTES 8
#define FMT_MIN_BYTES 16
#define SIZE_STREAMED UINT32_C(0xFFFFFFFF)

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int get_u16(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

/* Whether the bytes so far, up to 12, can be the start of a RIFF/WAVE file. */
static bool could_be_wave(const unsigned char *p, size_t n)
{
	static const char magic[RIFF_HEAD_BYTES + 1] = "RIFF....WAVE";

	for (size_t i = 0; i < n && i < RIFF_HEAD_BYTES; i++)
		if (magic[i] != '.' && p[i] != (unsigned char)magic[i])
			return false;
	return true;
}

static void take_fmt(const unsigned char *p, struct wav_info *info)
{
	info->format = get_u16(p);
	info->channels = get_u16(p + 2);
	info->sample_rate_hz = get_u32(p + 4);
	info->bytes_per_sec = get_u32(p + 8);
	info->bits_per_sample = get_u16(p + 14);
}

int wav_parse(const void *bytes, size_t n, struct wav_info *ret_info)
{
	const unsigned char *p = bytes;
	struct wav_info *info = ret_info;
	uint64_t pos = RIFF_HEAD_BYTES;
	uint32_t size;

	*info = (struct wav_info){ .data_offset_bytes = -1,
				   .data_size_bytes = -1,
				   .riff_size_bytes = -1 };
	if (!could_be_wave(p, n))
		return -EINVAL;
	if (n < RIFF_HEAD_BYTES)
		return -EAGAIN;
	size = get_u32(p + 4);
	if (size != 0 && size != SIZE_STREAMED)
		info->riff_size_bytes = (int64_t)size + CHUNK_HEAD_BYTES;

	while (pos + CHUNK_HEAD_BYTES <= n) {
		const unsigned char *chunk = p + pos;

		size = get_u32(chunk + 4);
		pos += CHUNK_HEAD_BYTES;
		if (memcmp(chunk, "data", 4) == 0) {
			/* Without a fmt chunk the samples cannot be played. */
			if (!info->channels)
				return -EINVAL;
			info->data_offset_bytes = (int64_t)pos;
			if (size != 0 && size != SIZE_STREAMED)
				info->data_size_bytes = size;
			return 0;
		}
		if (memcmp(chunk, "fmt ", 4) == 0) {
			if (size < FMT_MIN_BYTES)
				return -EINVAL;
			if (pos + FMT_MIN_BYTES > n)
				return -EAGAIN;
			take_fmt(p + pos, info);
			if (!info->channels)
				return -EINVAL;
		}
		/* Chunks begin at even offsets; the padding byte does not count in the size. */
		pos += (uint64_t)size + (size & 1);
	}
	return -EAGAIN;
}
