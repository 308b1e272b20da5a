/* util/crypto against the vectors of FIPS 180-4, RFC 1321, RFC 2202, RFC 4231 and RFC 4648. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/crypto.h"

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
	char text[CRYPTO_HEX_SIZE(64)];

	assert_true(n <= 64);
	crypto_hex(bytes, n, text);
	assert_string_equal(text, expected);
}

static void test_util_crypto__sha256_vectors(void **state)
{
	static const struct {
		const char *text, *digest;
	} vectors[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t digest[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		assert_int_equal(crypto_sha256(vectors[i].text, strlen(vectors[i].text), digest),
				 0);
		assert_hex(digest, sizeof digest, vectors[i].digest);
	}
}

static void test_util_crypto__md5_vectors(void **state)
{
	uint8_t digest[CRYPTO_MD5_SIZE];

	assert_int_equal(crypto_md5("", 0, digest), 0);
	assert_hex(digest, sizeof digest, "d41d8cd98f00b204e9800998ecf8427e");
	assert_int_equal(crypto_md5("message digest", 14, digest), 0);
	assert_hex(digest, sizeof digest, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void test_util_crypto__hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
	cleanup_hash struct crypto_hash *sha256 = NULL;
	cleanup_hash struct crypto_hash *md5 = NULL;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char piece[1000];

	memset(piece, 'a', sizeof piece);
	assert_int_equal(crypto_hash_new(CRYPTO_SHA256, &sha256), 0);
	assert_int_equal(crypto_hash_new(CRYPTO_MD5, &md5), 0);
	assert_int_equal(crypto_hash_update(sha256, "", 0), 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(crypto_hash_update(sha256, piece, sizeof piece), 0);
		assert_int_equal(crypto_hash_update(md5, piece, sizeof piece), 0);
	}
	assert_int_equal(crypto_hash_finish(sha256, digest), 0);
	assert_hex(digest, CRYPTO_SHA256_SIZE,
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(crypto_hash_finish(md5, digest), 0);
	assert_hex(digest, CRYPTO_MD5_SIZE, "7707d6ae4e027c70eea2a935c2296f21");
	crypto_hash_free(NULL);
}

struct hmac_vector {
	size_t key_len, data_len;
	const char *key, *data; /* where shorter than said: the first byte repeated */
	const char *mac;
};

static void fill(uint8_t *out, const char *text, size_t n)
{
	if (strlen(text) == n)
		memcpy(out, text, n);
	else
		memset(out, text[0], n);
}

static void test_util_crypto__hmac_sha256_vectors_of_rfc_4231(void **state)
{
	static const struct hmac_vector vectors[] = {
		{ 20, 8, "\x0b", "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 4, 28, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 20, 50, "\xaa", "\xdd",
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ 131, 54, "\xaa", "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};
	uint8_t key[256], data[256], mac[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		fill(key, vectors[i].key, vectors[i].key_len);
		fill(data, vectors[i].data, vectors[i].data_len);
		assert_int_equal(crypto_hmac_sha256(key, vectors[i].key_len, data,
						    vectors[i].data_len, mac),
				 0);
		assert_hex(mac, sizeof mac, vectors[i].mac);
	}
}

static void test_util_crypto__hmac_sha1_vectors_of_rfc_2202(void **state)
{
	static const struct hmac_vector vectors[] = {
		{ 20, 8, "\x0b", "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ 4, 28, "Jefe", "what do ya want for nothing?",
		  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ 80, 54, "\xaa", "Test Using Larger Than Block-Size Key - Hash Key First",
		  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	};
	uint8_t key[256], data[256], mac[CRYPTO_SHA1_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		fill(key, vectors[i].key, vectors[i].key_len);
		fill(data, vectors[i].data, vectors[i].data_len);
		assert_int_equal(crypto_hmac_sha1(key, vectors[i].key_len, data,
						  vectors[i].data_len, mac),
				 0);
		assert_hex(mac, sizeof mac, vectors[i].mac);
	}
}

static void test_util_crypto__hmac_of_nothing_with_no_key(void **state)
{
	uint8_t mac[CRYPTO_SHA256_SIZE];

	assert_int_equal(crypto_hmac_sha256(NULL, 0, NULL, 0, mac), 0);
	assert_hex(mac, sizeof mac,
		   "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_util_crypto__hex_there_and_back(void **state)
{
	uint8_t all[256], back[256];
	char text[CRYPTO_HEX_SIZE(256)];

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	crypto_hex(all, sizeof all, text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_int_equal(crypto_unhex(text, back, sizeof back), 0);
	assert_memory_equal(back, all, sizeof all);
	assert_int_equal(crypto_unhex("aBCd", back, 2), 0);
	assert_memory_equal(back, "\xab\xcd", 2);
	assert_int_equal(crypto_unhex("", back, 0), 0);
}

static void test_util_crypto__unhex_refuses_what_is_not_exactly_hex(void **state)
{
	static const char *const bad[] = { "",     "0",    "012",  "01234", "0g12",      "g012",
					   " 012", "0x12", "01 2", "+012",  "01\xc3\xa4" };
	uint8_t out[2];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(crypto_unhex(bad[i], out, 2), -EINVAL);
}

static void test_util_crypto__base64_vectors_of_rfc_4648(void **state)
{
	static const struct {
		const char *text, *base64;
	} vectors[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};
	char out[CRYPTO_BASE64_SIZE(6)];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		crypto_base64(vectors[i].text, strlen(vectors[i].text), out);
		assert_string_equal(out, vectors[i].base64);
		assert_int_equal(strlen(out) + 1, CRYPTO_BASE64_SIZE(strlen(vectors[i].text)));
	}
}

static void test_util_crypto__random_differs_and_equal_compares(void **state)
{
	static uint8_t a[100000], b[100000];

	assert_int_equal(crypto_random(a, sizeof a), 0);
	assert_int_equal(crypto_random(b, sizeof b), 0);
	assert_false(crypto_equal(a, b, sizeof a));
	/* The second step of a large request was filled, too. */
	assert_false(crypto_equal(a + 90000, b + 90000, 32));
	memcpy(b, a, sizeof a);
	assert_true(crypto_equal(a, b, sizeof a));
	assert_true(crypto_equal(a, b, 0));
	crypto_wipe(a, sizeof a);
	for (size_t i = 0; i < sizeof a; i++)
		assert_int_equal(a[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_crypto__sha256_vectors),
		cmocka_unit_test(test_util_crypto__md5_vectors),
		cmocka_unit_test(test_util_crypto__hash_in_pieces_is_the_hash_of_the_whole),
		cmocka_unit_test(test_util_crypto__hmac_sha256_vectors_of_rfc_4231),
		cmocka_unit_test(test_util_crypto__hmac_sha1_vectors_of_rfc_2202),
		cmocka_unit_test(test_util_crypto__hmac_of_nothing_with_no_key),
		cmocka_unit_test(test_util_crypto__hex_there_and_back),
		cmocka_unit_test(test_util_crypto__unhex_refuses_what_is_not_exactly_hex),
		cmocka_unit_test(test_util_crypto__base64_vectors_of_rfc_4648),
		cmocka_unit_test(test_util_crypto__random_differs_and_equal_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
