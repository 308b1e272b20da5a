/* Why a recording cannot be read, as far as the catalog knows. */
#include "storage/why.h"

#include "catalog/archive.h"
#include "util/buf.h"

#define GONE_TEXT \
	"deleted at Twilio, not by this catalog, and not found in its bucket: another catalog of " \
	"the account may move recordings to another bucket or prefix: set the same with 'tonicfs " \
	"storage set', then run 'tonicfs sync --full' and 'tonicfs verify --repair'"
#define LOST_TEXT \
	"missing at Twilio and in S3: it was in the bucket and is not there any more, or the " \
	"bucket is another one now: 'tonicfs verify --repair' takes it over when it is there again"

static void add_archived(struct catalog *catalog, const struct catalog_recording *recording,
			 struct buf *out)
{
	struct catalog_archive archive;
	char sid[SID_SIZE];

	if (catalog_archive_get(catalog, recording->id, &archive) || !archive.is_archived)
		return;
	sid_format(&recording->sid, "RE", sid);
	if (archive.restore == CATALOG_RESTORE_ONGOING || archive.restore == CATALOG_RESTORE_WANTED)
		buf_addf(
			out,
			"archived in S3 (%s), and being restored: 'tonicfs restore %s' looks again",
			archive.storage_class, sid);
	else
		buf_addf(out, "archived in S3 (%s): 'tonicfs restore %s' asks for it",
			 archive.storage_class, sid);
}

void storage_why(struct catalog *catalog, const struct catalog_recording *recording,
		 struct buf *out)
{
	switch (recording->state) {
	case CATALOG_STATE_MISSING:
		/* A listed recording has been in this catalog's bucket. */
		buf_add_str(out, recording->is_listed ? LOST_TEXT : GONE_TEXT);
		break;
	case CATALOG_STATE_S3: /* in state stored, an archived recording is read from Twilio */
		add_archived(catalog, recording, out);
		break;
	case CATALOG_STATE_DELETED:
		buf_add_str(out, "it was removed, and stays hidden");
		break;
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_UPLOADING:
	case CATALOG_STATE_STORED:
		break;
	}
}
