/* Hashes, HMAC and random bytes by OpenSSL; hex and base64. */
#include "util/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "util/text.h"

int crypto_hash_new(enum crypto_hash_kind kind, struct crypto_hash **ret_hash)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (!hash ||
	    EVP_DigestInit_ex(hash, kind == CRYPTO_MD5 ? EVP_md5() : EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(hash);
		return -ENOMEM;
	}
	*ret_hash = hash;
	return 0;
}

int crypto_hash_update(struct crypto_hash *hash, const void *bytes, size_t n)
{
	return EVP_DigestUpdate(hash, bytes, n) == 1 ? 0 : -ENOMEM;
}

int crypto_hash_finish(struct crypto_hash *hash, uint8_t *ret_digest)
{
	return EVP_DigestFinal_ex(hash, ret_digest, NULL) == 1 ? 0 : -ENOMEM;
}

void crypto_hash_free(struct crypto_hash *hash)
{
	EVP_MD_CTX_free(hash);
}

void crypto_hash_freep(struct crypto_hash **hash)
{
	crypto_hash_free(*hash);
}

int crypto_sha256(const void *bytes, size_t n, uint8_t ret_digest[CRYPTO_SHA256_SIZE])
{
	return EVP_Digest(bytes, n, ret_digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int crypto_md5(const void *bytes, size_t n, uint8_t ret_digest[CRYPTO_MD5_SIZE])
{
	return EVP_Digest(bytes, n, ret_digest, NULL, EVP_md5(), NULL) == 1 ? 0 : -ENOMEM;
}

static int hmac(const EVP_MD *algorithm, const void *key, size_t key_len, const void *bytes,
		size_t n, uint8_t *ret_mac)
{
	/* OpenSSL takes a NULL key for the previous one. */
	if (key_len > INT_MAX ||
	    !HMAC(algorithm, key ? key : "", (int)key_len, bytes ? bytes : "", n, ret_mac, NULL))
		return -ENOMEM;
	return 0;
}

int crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
		       uint8_t ret_mac[CRYPTO_SHA256_SIZE])
{
	return hmac(EVP_sha256(), key, key_len, bytes, n, ret_mac);
}

int crypto_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n,
		     uint8_t ret_mac[CRYPTO_SHA1_SIZE])
{
	return hmac(EVP_sha1(), key, key_len, bytes, n, ret_mac);
}

void crypto_hex(const void *bytes, size_t n, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;

	for (size_t i = 0; i < n; i++) {
		ret_text[2 * i] = digits[in[i] >> 4];
		ret_text[2 * i + 1] = digits[in[i] & 15];
	}
	ret_text[2 * n] = '\0';
}

int crypto_unhex(const char *text, void *ret_bytes, size_t n)
{
	uint8_t *out = ret_bytes;

	for (size_t i = 0; i < n; i++) {
		int high = text_hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : text_hex_digit(text[2 * i + 1]);

		if (low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * n] == '\0' ? 0 : -EINVAL;
}

void crypto_base64(const void *bytes, size_t n, char *ret_text)
{
	EVP_EncodeBlock((unsigned char *)ret_text, bytes, (int)n);
}

int crypto_random(void *ret_bytes, size_t n)
{
	return RAND_bytes_ex(NULL, ret_bytes, n, 0) == 1 ? 0 : -EIO;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_wipe(void *bytes, size_t n)
{
	OPENSSL_cleanse(bytes, n);
}
