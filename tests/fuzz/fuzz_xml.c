/* S3's documents and lists: src/util/xml.c and src/aws/list.c. The first byte says which list. */
#include <errno.h>

#include "aws/s3-private.h"
#include "fuzz.h"
#include "util/xml.h"

struct walk {
	size_t elements, size;
};

static int on_end(void *arg, const char *path, const char *text)
{
	struct walk *walk = arg;

	MUST(*path && path[0] != '/' && strlen(text) <= walk->size);
	walk->elements++;
	return 0;
}

static int on_entry(void *arg, const struct s3_list_entry *entry)
{
	MUST(entry->key && entry->storage_class);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk walk = { 0, size };
	unsigned kind;
	char *text;
	int r;

	if (!size)
		return 0;
	kind = data[0] % 4;
	text = fuzz_text(data + 1, size - 1);
	r = xml_parse(text, size - 1, on_end, &walk, NULL);
	MUST(r == 0 || r == -EBADMSG || r == -ENOMEM);
	MUST(r != 0 || walk.elements > 0);
	r = s3_list_parse((enum s3_list_kind)kind, text, size - 1, on_entry, NULL);
	MUST(r == 0 || r == -EBADMSG || r == -ENOMEM);
	free(text);
	return 0;
}
