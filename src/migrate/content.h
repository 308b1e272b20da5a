/* Inspects a recording's bytes as they pass: size, hashes, the WAV header. Not thread-safe. */
#pragma once

#include "catalog/recording.h"
#include "twilio/wav.h"
#include "util/crypto.h"

struct content {
	struct crypto_hash *sha256_hash, *md5_hash;
	struct crypto_hash *parts_hash; /* MD5 of the parts' MD5s: a multipart object's ETag in S3 */
	unsigned part_count;
	int64_t size_bytes;
	struct wav_info wav; /* not where the recording is encrypted */
	bool has_wav;
	/* After content_finish: */
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	char sha256_hex[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	char sha256_base64[CRYPTO_BASE64_SIZE(CRYPTO_SHA256_SIZE)];
	char md5_hex[CRYPTO_HEX_SIZE(CRYPTO_MD5_SIZE)];
	char parts_etag[CRYPTO_HEX_SIZE(CRYPTO_MD5_SIZE) + 8]; /* "<md5>-<parts>" */
};

int content_init(struct content *content);
void content_release(struct content *content);
/* The next bytes. is_part: they make one part of several. */
int content_add(struct content *content, const void *bytes, size_t n, bool is_part);
int content_finish(struct content *content);

/* 0, or -EBADMSG with the reason as a sentence. channels: as requested. bytes: the first ones. */
#define CONTENT_REASON_SIZE 128
int content_check_head(struct content *content, const void *bytes, size_t n, int channels,
		       char ret_reason[CONTENT_REASON_SIZE]);
/* After all bytes have passed. announced_bytes: Content-Length, or -1; etag: Twilio's, or NULL. */
int content_check_end(const struct content *content, const struct catalog_recording *recording,
		      int64_t announced_bytes, const char *etag,
		      char ret_reason[CONTENT_REASON_SIZE]);
