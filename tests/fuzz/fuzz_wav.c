/* The head of a WAV, whole and as it comes in: src/twilio/wav.c. */
#include <errno.h>

#include "fuzz.h"
#include "twilio/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct wav_info whole, part;
	int r = wav_parse(text, size, &whole);

	MUST(r == 0 || r == -EAGAIN || r == -EINVAL);
	if (r == 0) {
		MUST(whole.channels > 0);
		MUST(whole.data_offset_bytes > 0 && (size_t)whole.data_offset_bytes <= size);
		MUST(whole.data_size_bytes >= -1);
		/* What has been said of the whole is not known sooner, and never otherwise. */
		r = wav_parse(text, (size_t)whole.data_offset_bytes - 1, &part);
		MUST(r == -EAGAIN);
		r = wav_parse(text, (size_t)whole.data_offset_bytes, &part);
		MUST(r == 0 && part.channels == whole.channels);
	}
	free(text);
	return 0;
}
