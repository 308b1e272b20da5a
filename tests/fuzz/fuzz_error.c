/* Bodies of errors: Twilio's JSON and XML, S3's XML, a proxy's HTML. */
#include <ctype.h>

#include "aws/s3-private.h"
#include "fuzz.h"
#include "twilio/twilio-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), scrubbed[96];
	struct remote_error error;

	twilio_judge(404, -1, text, size, &error);
	MUST(error.kind != REMOTE_OK && error.error < 0);
	/* No run of digits, as numbers and SIDs have them, gets into a message. */
	twilio_scrub(text, scrubbed, sizeof scrubbed);
	MUST(strlen(scrubbed) < sizeof scrubbed);
	for (const char *c = scrubbed; *c; c++)
		MUST(!isdigit((unsigned char)*c) && isprint((unsigned char)*c));
	s3_judge_document(200, text, size, &error);
	free(text);
	return 0;
}
