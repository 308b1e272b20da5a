/* Parses the words of mount's -o. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mounting.h"
#include "cli/suggest.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Words of fstab for mount(8), and words for what is always so. */
static const char *const ignored[] = {
	"rw",    "defaults", "auto",     "noauto", "user", "nouser", "users", "owner",
	"group", "nofail",   "_netdev",  "suid",   "dev",  "exec",   "async", "default_permissions",
	"loud",  "silent",   "relatime",
};
static const char *const beginnings[] = { "x-", "comment=", "user=", "helper=", "uhelper=" };
/* Words for libfuse or the kernel. */
static const char *const passed[] = { "nosuid",     "nodev", "noexec",  "noatime",
				      "nodiratime", "sync",  "dirsync", "auto_unmount" };

/* Is the word in the list, or, with is_beginning, does it begin as one that is? */
static bool is_one_of(const char *word, const char *const *list, size_t count, bool is_beginning)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(word, list[i], strlen(list[i]) + !is_beginning) == 0)
			return true;
	return false;
}

int mount_options_add_word(struct mount_options *options, const char *word)
{
	char **end = array_add_many(&options->words, &options->word_count, 2);

	if (!end)
		return -ENOMEM;
	options->word_count--; /* the NULL at the end does not count */
	*end = strdup(word);
	return *end ? 0 : -ENOMEM;
}

static int set_text(char **where, const char *text)
{
	free(*where);
	*where = strdup(text);
	return *where ? 0 : -ENOMEM;
}

static int set_umask(struct mount_options *options, const char *plain, char *message)
{
	const char *digits = plain + strlen("umask=");
	size_t len = strlen(digits);

	if (!len || len > 4 || strspn(digits, "01234567") != len) {
		snprintf(message, CATALOG_MESSAGE_SIZE, "'%s': umask= takes octal digits, 027 say",
			 plain);
		return -EINVAL;
	}
	options->umask = (mode_t)strtoul(digits, NULL, 8);
	options->has_umask = true;
	return 0;
}

static void say_unknown(const char *plain, char *message)
{
	static const char *const known[] = { "ro",       "allow_other", "names=sid", "names=number",
					     "nonempty", "umask=",      "catalog=",  "key_file=",
					     "setuid=",  "refuse=",     "metrics=",  "fsname=" };
	struct suggest suggest;
	char word[CATALOG_NAME_SIZE];
	size_t len = strcspn(plain, "=");

	/* Compare the name alone: the value is free text, except for names=. */
	snprintf(word, sizeof word, "%.*s",
		 (int)(strncmp(plain, "name", 4) == 0 ? strlen(plain) : len + (plain[len] == '=')),
		 plain);
	suggest_init(&suggest, "", word);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		suggest_try(&suggest, known[i]);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		suggest_try(&suggest, passed[i]);
	snprintf(message, CATALOG_MESSAGE_SIZE, "there is no mount option '%s'%s", plain,
		 suggest_text(&suggest));
}

/* word: with backslashes, as libfuse takes it; plain: without them. */
static int word_parse(struct mount_options *options, const char *word, const char *plain,
		      char *message)
{
	const struct {
		const char *word;
		bool *flag;  /* or */
		char **text; /* of the value */
	} known[] = {
		{ "ro", &options->read_only, NULL },
		{ "allow_other", &options->allow_other, NULL },
		{ "nonempty", &options->nonempty, NULL },
		{ "catalog=", NULL, &options->catalog },
		{ "key_file=", NULL, &options->key_file },
		{ "setuid=", NULL, &options->user },
		{ "refuse=", NULL, &options->refuse },
		{ "metrics=", NULL, &options->metrics },
	};
	bool is_fsname = strncmp(plain, "fsname=", 7) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t len = strlen(known[i].word);

		if (known[i].text && strncmp(plain, known[i].word, len) == 0)
			return set_text(known[i].text, plain + len);
		if (known[i].flag && strcmp(plain, known[i].word) == 0) {
			*known[i].flag = true;
			return 0;
		}
	}
	if (strcmp(plain, "names=sid") == 0 || strcmp(plain, "names=number") == 0) {
		options->names =
			strcmp(plain, "names=sid") == 0 ? CATALOG_NAMES_SID : CATALOG_NAMES_NUMBER;
		return 0;
	}
	if (strncmp(plain, "umask=", 6) == 0)
		return set_umask(options, plain, message);
	options->has_fsname |= is_fsname;
	if (is_fsname || is_one_of(plain, passed, ARRAY_SIZE(passed), false))
		return mount_options_add_word(options, word);
	if (is_one_of(plain, ignored, ARRAY_SIZE(ignored), false) ||
	    is_one_of(plain, beginnings, ARRAY_SIZE(beginnings), true))
		return 0;
	say_unknown(plain, message);
	return -EINVAL;
}

int mount_options_parse(struct mount_options *options, const char *text,
			char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_buf struct buf word = BUF_INIT, plain = BUF_INIT;
	int err = 0;

	ret_message[0] = '\0';
	for (const char *s = text; err == 0; s++) {
		if (*s == '\\' && s[1]) {
			buf_add(&word, s, 2);
			buf_add_char(&plain, *++s);
			continue;
		}
		if (*s && *s != ',') {
			buf_add_char(&word, *s);
			buf_add_char(&plain, *s);
			continue;
		}
		if (buf_failed(&word) || buf_failed(&plain))
			err = -ENOMEM;
		else if (plain.len)
			err = word_parse(options, buf_str(&word), buf_str(&plain), ret_message);
		buf_reset(&word);
		buf_reset(&plain);
		if (!*s)
			break;
	}
	if (err < 0 && !ret_message[0])
		snprintf(ret_message, CATALOG_MESSAGE_SIZE, "%s", strerror(-err));
	return err;
}

void mount_options_release(struct mount_options *options)
{
	free(options->catalog);
	free(options->key_file);
	free(options->user);
	free(options->metrics);
	free(options->refuse);
	for (size_t i = 0; i < options->word_count; i++)
		free(options->words[i]);
	free(options->words);
	*options = (struct mount_options){ 0 };
}
