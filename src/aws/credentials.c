/* Sources of keys: the keys at hand, when they expire, and which thread renews them. */
#include "aws/credentials.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/credentials-private.h"
#include "util/list.h"
#include "util/secret.h"
#include "util/times.h"
#include "util/wait.h"

#define RENEW_BEFORE_SECS 300  /* they expire, or a quarter of their life, if that is shorter */
#define LOOK_AGAIN_MSECS 60000 /* for files and the environment */
#define FAILURE_MSECS 5000     /* a failed renewal is not retried earlier */

struct aws_source {
	struct list link; /* registry */
	char *profile;    /* NULL: the whole order */
	unsigned refs;    /* registry_lock */

	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t fetched;
	bool is_fetching; /* a thread is fetching, without the lock */
	struct aws_credentials current;
	int64_t renew_at_secs;       /* wall clock; 0: they do not expire */
	int64_t look_again_msecs;    /* time_mono_msecs() */
	struct remote_error failure; /* of the last try; REMOTE_OK: it worked */
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list registry = LIST_INIT(registry); /* registry_lock; each with a reference */

/* ---- values ---- */

void aws_credentials_release(struct aws_credentials *c)
{
	secret_free(c->access_key);
	secret_free(c->secret_key);
	secret_free(c->session_token);
	*c = (struct aws_credentials){ .access_key = NULL };
}

/* A value that is put into a header must not end that header. */
static bool is_header_safe(const char *text)
{
	for (; *text; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

int aws_credentials_set(struct aws_credentials *c, const char *access_key, const char *secret_key,
			const char *session_token, const char *from)
{
	*c = (struct aws_credentials){ .access_key = NULL };
	if (!access_key || !*access_key || !secret_key || !*secret_key ||
	    !is_header_safe(access_key) || (session_token && !is_header_safe(session_token)))
		return -EINVAL;
	c->access_key = strdup(access_key);
	c->secret_key = secret_dup(secret_key);
	c->session_token = session_token && *session_token ? secret_dup(session_token) : NULL;
	snprintf(c->from, sizeof c->from, "%s", from);
	if (c->access_key && c->secret_key &&
	    (c->session_token || !session_token || !*session_token))
		return 0;
	aws_credentials_release(c);
	return -ENOMEM;
}

const char *aws_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* ---- the order ---- */

static int search_keys(const struct aws_search *search)
{
	static aws_source_fn *const sources[] = { aws_from_environment, aws_from_web_identity,
						  aws_from_profile, aws_from_container,
						  aws_from_instance };
	int err = search->profile ? aws_from_profile(search) : -ENOENT;

	for (size_t i = 0; !search->profile && err == -ENOENT && i < ARRAY_SIZE(sources); i++)
		err = sources[i](search);
	if (err == -ENOENT && !search->profile)
		err = aws_fail(search, -EACCES,
			       "no credentials found: environment, web identity, ~/.aws, "
			       "container, instance metadata");
	return err;
}

/* ---- fetching ---- */

/* Lock held, but released during the fetch. */
static int fetch(struct aws_source *s, const struct cancel *cancel, struct remote_error *ret_error)
{
	struct aws_credentials fresh = { .access_key = NULL };
	const struct aws_search search = { s->profile, cancel, &fresh, ret_error };
	int64_t now = time_now_secs(), left;
	int err;

	s->is_fetching = true;
	pthread_mutex_unlock(&s->lock);
	err = search_keys(&search);
	pthread_mutex_lock(&s->lock);
	s->is_fetching = false;
	pthread_cond_broadcast(&s->fetched);
	if (err == -ECANCELED) /* not a failure of the source: the next caller may try at once */
		return err;
	if (err) {
		s->look_again_msecs = time_mono_msecs() + FAILURE_MSECS;
		s->failure = *ret_error;
		return err;
	}
	remote_error_clear(&s->failure);
	aws_credentials_release(&s->current);
	s->current = fresh;
	s->renew_at_secs = 0;
	s->look_again_msecs = fresh.expires_secs ? INT64_MAX : time_mono_msecs() + LOOK_AGAIN_MSECS;
	if (fresh.expires_secs) {
		left = fresh.expires_secs - now;
		s->renew_at_secs = fresh.expires_secs -
				   (left / 4 < RENEW_BEFORE_SECS ? left / 4 : RENEW_BEFORE_SECS);
	}
	return 0;
}

static bool has_valid(const struct aws_source *s, int64_t now_secs)
{
	return s->current.access_key &&
	       (!s->current.expires_secs || now_secs < s->current.expires_secs);
}

static bool is_due(const struct aws_source *s, int64_t now_secs)
{
	if (!has_valid(s, now_secs))
		return true;
	if (s->renew_at_secs && now_secs >= s->renew_at_secs)
		return s->look_again_msecs == INT64_MAX || time_mono_msecs() >= s->look_again_msecs;
	return s->look_again_msecs != INT64_MAX && time_mono_msecs() >= s->look_again_msecs;
}

static int copy_current(const struct aws_source *s, struct aws_credentials *ret_credentials)
{
	int err = aws_credentials_set(ret_credentials, s->current.access_key, s->current.secret_key,
				      s->current.session_token, s->current.from);

	if (err == 0)
		ret_credentials->expires_secs = s->current.expires_secs;
	return err;
}

int aws_source_credentials(struct aws_source *s, const struct cancel *cancel,
			   struct aws_credentials *ret_credentials, struct remote_error *ret_error)
{
	int err = 0;

	*ret_credentials = (struct aws_credentials){ .access_key = NULL };
	remote_error_clear(ret_error);
	pthread_mutex_lock(&s->lock);
	while (s->is_fetching && !has_valid(s, time_now_secs()) &&
	       cond_wait_until(&s->fetched, &s->lock, WAIT_NO_DEADLINE, cancel))
		;
	/* Threads that waited for a failed try must not repeat it one after the other. */
	if (!has_valid(s, time_now_secs()) && cancel_is_set(cancel)) {
		err = remote_fail(ret_error, REMOTE_CANCELLED, -ECANCELED, "", "cancelled");
	} else if (!has_valid(s, time_now_secs()) && s->failure.kind != REMOTE_OK &&
		   time_mono_msecs() < s->look_again_msecs) {
		*ret_error = s->failure;
		err = ret_error->error;
	} else if (!s->is_fetching && is_due(s, time_now_secs())) {
		err = fetch(s, cancel, ret_error);
	}
	/* Valid keys stay in use when a renewal fails. */
	if (err && has_valid(s, time_now_secs())) {
		remote_error_clear(ret_error);
		err = 0;
	}
	if (err == 0)
		err = copy_current(s, ret_credentials);
	pthread_mutex_unlock(&s->lock);
	if (err && ret_error->kind == REMOTE_OK)
		err = remote_fail(ret_error, REMOTE_REJECTED, err, "credentials", "out of memory");
	return err;
}

int aws_source_peek(struct aws_source *s, struct aws_credentials *ret_credentials, bool *ret_is_due)
{
	int64_t now = time_now_secs();
	int err;

	*ret_credentials = (struct aws_credentials){ .access_key = NULL };
	pthread_mutex_lock(&s->lock);
	*ret_is_due = !s->is_fetching && is_due(s, now);
	err = has_valid(s, now) ? copy_current(s, ret_credentials) : -EAGAIN;
	pthread_mutex_unlock(&s->lock);
	return err;
}

void aws_source_distrust(struct aws_source *s, const struct aws_credentials *refused)
{
	const char *token = refused->session_token ? refused->session_token : "";

	pthread_mutex_lock(&s->lock);
	if (s->current.access_key && strcmp(s->current.access_key, refused->access_key) == 0 &&
	    strcmp(s->current.session_token ? s->current.session_token : "", token) == 0)
		s->look_again_msecs = 0;
	pthread_mutex_unlock(&s->lock);
}

/* ---- sharing ---- */

static void source_free(struct aws_source *s)
{
	aws_credentials_release(&s->current);
	pthread_cond_destroy(&s->fetched);
	pthread_mutex_destroy(&s->lock);
	free(s->profile);
	free(s);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct aws_source *source_new(const char *profile)
{
	struct aws_source *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->profile = profile ? strdup(profile) : NULL;
	if (profile && !s->profile) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	cond_init(&s->fetched);
	s->refs = 1;
	return s;
}

int aws_source_get(const char *profile, struct aws_source **ret_source)
{
	struct aws_source *found = NULL;

	pthread_mutex_lock(&registry_lock);
	list_for_each_entry(struct aws_source, s, &registry, link)
		if (is_same(s->profile, profile))
			found = s;
	if (!found) {
		found = source_new(profile);
		if (found)
			list_add(&registry, &found->link);
	}
	if (found)
		found->refs++;
	pthread_mutex_unlock(&registry_lock);
	*ret_source = found;
	return found ? 0 : -ENOMEM;
}

struct aws_source *aws_source_ref(struct aws_source *s)
{
	pthread_mutex_lock(&registry_lock);
	s->refs++;
	pthread_mutex_unlock(&registry_lock);
	return s;
}

void aws_source_unref(struct aws_source *s)
{
	bool is_last = false;

	if (!s)
		return;
	pthread_mutex_lock(&registry_lock);
	is_last = --s->refs == 0;
	pthread_mutex_unlock(&registry_lock);
	if (is_last)
		source_free(s);
}

void aws_credentials_forget(void)
{
	for (;;) {
		struct aws_source *s = NULL;

		pthread_mutex_lock(&registry_lock);
		if (!list_empty(&registry)) {
			s = list_entry(registry.next, struct aws_source, link);
			list_remove(&s->link);
		}
		pthread_mutex_unlock(&registry_lock);
		if (!s)
			return;
		aws_source_unref(s);
	}
}
