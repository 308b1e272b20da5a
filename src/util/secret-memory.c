/* Memory for secrets, by OpenSSL's secure heap: locked, not in core dumps, wiped when freed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "util/crypto.h"
#include "util/log.h"
#include "util/secret.h"

/* Pages count against RLIMIT_MEMLOCK at once, but take memory only when they are used. */
#define HEAP_BYTES (1024 * 1024)
/* OpenSSL allocates the private keys of TLS connections here, too, and fails without memory. */
#define HEAP_RESERVED_BYTES (HEAP_BYTES / 4)
#define BLOCK_MIN_BYTES 64

/* Set up with the first secret: memory locks do not survive the fork of a background mount. */
static void heap_init(void)
{
	if (CRYPTO_secure_malloc_init(HEAP_BYTES, BLOCK_MIN_BYTES) == 1)
		return;
	log_warning(
		"keys and tokens may be written to swap, because this process may not lock memory; allow it 1 MiB "
		"('ulimit -l', LimitMEMLOCK= in a systemd unit), or encrypt the swap");
}

void *secret_alloc(size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	void *secret = NULL;

	pthread_once(&once, heap_init);
	if (CRYPTO_secure_malloc_initialized() &&
	    CRYPTO_secure_used() + size <= HEAP_BYTES - HEAP_RESERVED_BYTES)
		secret = OPENSSL_secure_zalloc(size);
	return secret ? secret : calloc(1, size);
}

char *secret_dup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = secret_alloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

void secret_release(void *secret, size_t size)
{
	if (!secret)
		return;
	if (CRYPTO_secure_allocated(secret)) {
		OPENSSL_secure_clear_free(secret, size);
	} else {
		crypto_wipe(secret, size);
		free(secret);
	}
}

void secret_free(char *secret)
{
	if (secret)
		secret_release(secret, strlen(secret));
}

void secret_freep(char **secret)
{
	secret_free(*secret);
}
