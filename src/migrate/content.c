/* Inspects a recording on its way: size, hashes, the WAV header, and whether it is complete. */
#include "migrate/content.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DURATION_ALLOWANCE_SECS 1 /* Twilio's duration is in whole seconds */

int content_init(struct content *content)
{
	memset(content, 0, sizeof *content);
	if (crypto_hash_new(CRYPTO_SHA256, &content->sha256_hash) ||
	    crypto_hash_new(CRYPTO_MD5, &content->md5_hash) ||
	    crypto_hash_new(CRYPTO_MD5, &content->parts_hash))
		return -ENOMEM;
	return 0;
}

void content_release(struct content *content)
{
	crypto_hash_freep(&content->sha256_hash);
	crypto_hash_freep(&content->md5_hash);
	crypto_hash_freep(&content->parts_hash);
}

int content_add(struct content *content, const void *bytes, size_t n, bool is_part)
{
	uint8_t part[CRYPTO_MD5_SIZE];
	int err = crypto_hash_update(content->sha256_hash, bytes, n);

	if (err == 0)
		err = crypto_hash_update(content->md5_hash, bytes, n);
	content->size_bytes += (int64_t)n;
	if (err || !is_part)
		return err;
	content->part_count++;
	err = crypto_md5(bytes, n, part);
	return err ? err : crypto_hash_update(content->parts_hash, part, sizeof part);
}

int content_finish(struct content *content)
{
	uint8_t md5[CRYPTO_MD5_SIZE], parts[CRYPTO_MD5_SIZE];
	char parts_hex[CRYPTO_HEX_SIZE(CRYPTO_MD5_SIZE)];

	if (crypto_hash_finish(content->sha256_hash, content->sha256) ||
	    crypto_hash_finish(content->md5_hash, md5) ||
	    crypto_hash_finish(content->parts_hash, parts))
		return -ENOMEM;
	crypto_hex(content->sha256, sizeof content->sha256, content->sha256_hex);
	crypto_base64(content->sha256, sizeof content->sha256, content->sha256_base64);
	crypto_hex(md5, sizeof md5, content->md5_hex);
	crypto_hex(parts, sizeof parts, parts_hex);
	snprintf(content->parts_etag, sizeof content->parts_etag, "%s-%u", parts_hex,
		 content->part_count % 100000);
	return 0;
}

/* ---- checks ---- */

#define REFUSE(...) (snprintf(ret_reason, CONTENT_REASON_SIZE, __VA_ARGS__), -EBADMSG)

int content_check_head(struct content *content, const void *bytes, size_t n, int channels,
		       char ret_reason[CONTENT_REASON_SIZE])
{
	int err;

	if (!n)
		return REFUSE("Twilio gave an empty answer");
	err = wav_parse(bytes, n, &content->wav);
	if (err == -EAGAIN)
		return REFUSE("Twilio's audio ends before it begins");
	if (err)
		return REFUSE("what Twilio gave is no WAV file");
	content->has_wav = true;
	/* Two tracks mixed into one: after the delete the original would be lost. */
	if (content->wav.channels != channels)
		return REFUSE("Twilio gave %d channel%s where %d %s asked for",
			      content->wav.channels, content->wav.channels == 1 ? "" : "s",
			      channels, channels == 1 ? "was" : "were");
	if (content->wav.bytes_per_sec <= 0)
		return REFUSE("the WAV file does not say how fast it is to be played");
	return 0;
}

static bool is_md5(const char *etag)
{
	return strlen(etag) == 32 && strspn(etag, "0123456789abcdefABCDEF") == 32;
}

static int check_audio(const struct content *content, const struct catalog_recording *recording,
		       char *ret_reason)
{
	const struct wav_info *wav = &content->wav;
	int64_t audio_bytes = wav->data_size_bytes,
		least_secs = recording->duration_secs - DURATION_ALLOWANCE_SECS;

	if (audio_bytes < 0)
		audio_bytes = content->size_bytes - wav->data_offset_bytes;
	if (wav->data_offset_bytes + audio_bytes > content->size_bytes)
		return REFUSE("cut off: the WAV file is longer than the %lld bytes that came",
			      (long long)content->size_bytes);
	if (least_secs > 0 && audio_bytes / wav->bytes_per_sec < least_secs)
		return REFUSE("shorter than Twilio said: %lld of %lld seconds",
			      (long long)(audio_bytes / wav->bytes_per_sec),
			      (long long)recording->duration_secs);
	return 0;
}

int content_check_end(const struct content *content, const struct catalog_recording *recording,
		      int64_t announced_bytes, const char *etag,
		      char ret_reason[CONTENT_REASON_SIZE])
{
	if (!content->size_bytes)
		return REFUSE("Twilio gave an empty answer");
	if (announced_bytes >= 0 && content->size_bytes != announced_bytes)
		return REFUSE("cut off: %lld of %lld bytes came", (long long)content->size_bytes,
			      (long long)announced_bytes);
	if (recording->size_bytes >= 0 && content->size_bytes != recording->size_bytes)
		return REFUSE("Twilio gave %lld bytes of a file of %lld",
			      (long long)content->size_bytes, (long long)recording->size_bytes);
	if (etag && is_md5(etag) && strcasecmp(etag, content->md5_hex) != 0)
		return REFUSE("what came has not the MD5 that Twilio gave");
	return content->has_wav ? check_audio(content, recording, ret_reason) : 0;
}
