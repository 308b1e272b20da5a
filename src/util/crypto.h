/* Hashes, HMAC, hex and base64, random bytes, wiping. With util/secret.h the only code that calls
 * OpenSSL. All functions are thread-safe on different objects. A one-shot hash fails only for lack
 * of memory (-ENOMEM); every caller checks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_MD5_SIZE 16
#define CRYPTO_SHA1_SIZE 20
#define CRYPTO_HEX_SIZE(n) (2 * (n) + 1)
#define CRYPTO_BASE64_SIZE(n) (4 * (((n) + 2) / 3) + 1)

enum crypto_hash_kind { CRYPTO_SHA256, CRYPTO_MD5 };

/* Incremental hash. Finish it once at most; free it with crypto_hash_free (NULL is fine). */
#define crypto_hash evp_md_ctx_st /* that of OpenSSL */
struct crypto_hash;
int crypto_hash_new(enum crypto_hash_kind kind, struct crypto_hash **ret_hash);
int crypto_hash_update(struct crypto_hash *hash, const void *bytes, size_t n);
int crypto_hash_finish(struct crypto_hash *hash, uint8_t *ret_digest);
void crypto_hash_free(struct crypto_hash *hash);
void crypto_hash_freep(struct crypto_hash **hash);
#define cleanup_hash __attribute__((cleanup(crypto_hash_freep)))

int crypto_sha256(const void *bytes, size_t n, uint8_t ret_digest[CRYPTO_SHA256_SIZE]);
int crypto_md5(const void *bytes, size_t n, uint8_t ret_digest[CRYPTO_MD5_SIZE]);
int crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
		       uint8_t ret_mac[CRYPTO_SHA256_SIZE]);
int crypto_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n,
		     uint8_t ret_mac[CRYPTO_SHA1_SIZE]);

/* Lower-case hex with a NUL: ret_text has CRYPTO_HEX_SIZE(n). */
void crypto_hex(const void *bytes, size_t n, char *ret_text);
/* Exactly 2*n hex digits and nothing after them. 0 or -EINVAL. */
int crypto_unhex(const char *text, void *ret_bytes, size_t n);
/* Standard alphabet with padding and a NUL: ret_text has CRYPTO_BASE64_SIZE(n). */
void crypto_base64(const void *bytes, size_t n, char *ret_text);

int crypto_random(void *ret_bytes, size_t n);              /* 0 or -EIO */
bool crypto_equal(const void *a, const void *b, size_t n); /* in constant time */
void crypto_wipe(void *bytes, size_t n);                   /* the compiler cannot drop it */
