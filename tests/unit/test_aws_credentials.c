/* Keys from the places that AWS's tools look in: their order, what is asked of the services, when
 * it is asked again. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/credentials.h"
#include "helper_s3.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/times.h"

static const char *const variables[] = {
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_PROFILE",
	"AWS_SHARED_CREDENTIALS_FILE",
	"AWS_CONFIG_FILE",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_ROLE_ARN",
	"AWS_ROLE_SESSION_NAME",
	"AWS_ENDPOINT_URL_STS",
	"AWS_REGION",
	"AWS_DEFAULT_REGION",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT",
	"http_proxy",
};

static char folder[64];

static int setup(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	snprintf(folder, sizeof folder, "/tmp/tonicfs-credentials-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("HOME", folder, 1);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		".aws/credentials", ".aws/config", ".aws", "token", "asked", "keys", ""
	};

	aws_credentials_forget();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		remove(path);
	}
	return 0;
}

/* The path below the test's folder; lives until the next call but one. */
static const char *write_file(const char *name, const char *content)
{
	static char paths[2][128];
	static unsigned turn;
	char *path = paths[turn++ % 2];
	FILE *file;

	snprintf(path, sizeof paths[0], "%s/.aws", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

static int get(const char *profile, struct aws_credentials *ret_credentials,
	       struct remote_error *ret_error)
{
	struct aws_source *source;
	int r;

	assert_int_equal(aws_source_get(profile, &source), 0);
	r = aws_source_credentials(source, NULL, ret_credentials, ret_error);
	aws_source_unref(source);
	return r;
}

static void assert_keys(const char *profile, const char *access_key, const char *secret_key,
			const char *token, const char *from)
{
	cleanup_credentials struct aws_credentials c = { .access_key = NULL };
	struct remote_error error;

	if (get(profile, &c, &error))
		fail_msg("%s", error.message);
	assert_string_equal(c.access_key, access_key);
	assert_string_equal(c.secret_key, secret_key);
	if (token)
		assert_string_equal(c.session_token, token);
	else
		assert_null(c.session_token);
	assert_string_equal(c.from, from);
}

/* Looked for anew: a failure is remembered for a moment. */
static void assert_refused(const char *profile, const char *words)
{
	cleanup_credentials struct aws_credentials c = { .access_key = NULL };
	struct remote_error error;

	aws_credentials_forget();
	assert_true(get(profile, &c, &error) < 0);
	assert_int_equal(error.kind, REMOTE_REJECTED);
	if (!strstr(error.message, words))
		fail_msg("'%s' is not in '%s'", words, error.message);
}

/* ---- this machine's own ---- */

static void test_aws__the_environment_goes_before_the_files(void **state)
{
	write_file(".aws/credentials",
		   "[default]\naws_access_key_id = FILE\naws_secret_access_key = fs\n");
	assert_keys(NULL, "FILE", "fs", NULL, "profile default");
	aws_credentials_forget();
	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
	setenv("AWS_SESSION_TOKEN", "et", 1);
	assert_keys(NULL, "ENV", "es", "et", "environment");
	/* A profile that is named is meant. */
	assert_keys("default", "FILE", "fs", NULL, "profile default");
}

static void test_aws__half_a_key_in_the_environment_is_no_reason_to_look_further(void **state)
{
	write_file(".aws/credentials",
		   "[default]\naws_access_key_id = FILE\naws_secret_access_key = fs\n");
	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	assert_refused(NULL, "AWS_SECRET_ACCESS_KEY");
}

static void test_aws__the_credentials_file_goes_before_the_config_file(void **state)
{
	write_file(".aws/credentials",
		   "# [a]\n[a]\r\naws_access_key_id=CRED\r\n aws_secret_access_key = indented\n"
		   "aws_secret_access_key = a=b#c \n[b]\naws_access_key_id=B\n");
	write_file(".aws/config",
		   "[a]\naws_access_key_id=NOT\n[profile a]\naws_access_key_id = CONFIG\n"
		   "aws_session_token = from config\ns3 =\n  aws_access_key_id = NESTED\n"
		   "[profile c]\naws_access_key_id = C\naws_secret_access_key = cs\n");
	assert_refused("a", "are invalid"); /* a blank in a token would end up in a header */
	write_file(".aws/config",
		   "[profile c]\naws_access_key_id = C\naws_secret_access_key = cs\n");
	aws_credentials_forget();
	assert_keys("a", "CRED", "a=b#c", NULL, "profile a");
	assert_keys("c", "C", "cs", NULL, "profile c");
	assert_refused("b", "profile b");
	assert_refused("d", "there is no profile d");
	setenv("AWS_PROFILE", "c", 1);
	assert_keys(NULL, "C", "cs", NULL, "profile c");
}

static void test_aws__the_files_may_be_elsewhere(void **state)
{
	setenv("AWS_SHARED_CREDENTIALS_FILE",
	       write_file("token", "[default]\naws_access_key_id = X\naws_secret_access_key = y\n"),
	       1);
	assert_keys(NULL, "X", "y", NULL, "profile default");
}

static void test_aws__profiles_that_are_not_known_here_say_what_to_do(void **state)
{
	write_file(".aws/config",
		   "[profile r]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
		   "[profile s]\nsso_session = corp\n");
	assert_refused("r", "export-credentials");
	assert_refused("s", "export-credentials");
}

static void test_aws__a_command_gives_keys(void **state)
{
	write_file(".aws/config",
		   "[profile p]\ncredential_process = printf "
		   "'{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"ps\","
		   "\"SessionToken\":\"pt\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n"
		   "[profile bad]\ncredential_process = exit 3\n"
		   "[profile junk]\ncredential_process = echo junk\n"
		   "[profile old]\ncredential_process = printf "
		   "'{\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"ps\",\"Expiration\":\"2001-01-"
		   "01T00:00:00Z\"}'\n");
	assert_keys("p", "P", "ps", "pt", "credential_process");
	assert_refused("bad", "status 3");
	assert_refused("junk", "is not JSON");
	assert_refused("old", "expired");
}

static void test_aws__a_command_that_others_could_have_written_is_not_run(void **state)
{
	static const mode_t bad[] = { 0620, 0602, 0666 };
	const char *path;

	path = write_file(".aws/config", "[profile p]\ncredential_process = echo junk\n"
					 "[profile k]\naws_access_key_id = A\n"
					 "aws_secret_access_key = s\n");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_refused("p", "chmod go-w");
		assert_keys("k", "A", "s", NULL, "profile k"); /* which are no command */
	}
}

/* ---- services ---- */

static void start(struct helper_s3 *s3, const struct helper_answer *answers, unsigned count)
{
	helper_s3_start(s3, answers, count, NULL);
}

#define KEYS(token, expiration) \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"AK1\",\"SecretAccessKey\":\"s1\",\"" token \
	"\":\"t1\"," \
	"\"Expiration\":\"" expiration "\"}"

static void test_aws__an_instance_is_asked_as_imdsv2_wants_it(void **state)
{
	static const struct helper_answer answers[] = { { 200, NULL, "TOKEN==" },
							{ 200, NULL, "my-role\n" },
							{ 200, NULL,
							  KEYS("Token", "2099-01-01T00:00:00Z") } };
	struct helper_s3 s3;

	start(&s3, answers, 3);
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", helper_server_url(s3.server, ""), 1);
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	assert_keys(NULL, "AK1", "s1", "t1", "instance metadata");
	assert_string_equal(helper_s3_request_line(&s3, 0), "PUT /latest/api/token HTTP/1.1");
	assert_string_equal(helper_header(helper_server_request(s3.server, 0),
					  "X-aws-ec2-metadata-token-ttl-seconds"),
			    "21600");
	assert_string_equal(helper_s3_request_line(&s3, 1),
			    "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1");
	assert_string_equal(helper_header(helper_server_request(s3.server, 1),
					  "X-aws-ec2-metadata-token"),
			    "TOKEN==");
	assert_string_equal(helper_s3_request_line(&s3, 2),
			    "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1");
	assert_string_equal(helper_header(helper_server_request(s3.server, 2),
					  "X-aws-ec2-metadata-token"),
			    "TOKEN==");
	/* Good for long: nobody is asked again. */
	assert_keys(NULL, "AK1", "s1", "t1", "instance metadata");
	assert_int_equal(helper_server_requests(s3.server), 3);
	helper_s3_stop(&s3);
}

static void test_aws__an_instance_without_a_role_is_told(void **state)
{
	static const struct helper_answer answers[] = { { 200, NULL, "TOKEN" }, { 404, NULL, "" } };
	struct helper_s3 s3;

	start(&s3, answers, 2);
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", helper_server_url(s3.server, ""), 1);
	assert_refused(NULL, "instance metadata: the service answered 404");
	helper_s3_stop(&s3);
}

static void test_aws__no_token_goes_in_the_clear_to_another_machine(void **state)
{
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254.example.com", 1);
	assert_refused(NULL, "refused");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys", 1);
	assert_refused(NULL, "container");
	assert_refused(NULL, "refused");
}

static void test_aws__a_containers_agent_gets_its_token(void **state)
{
	static const struct helper_answer answer = { 200, NULL,
						     KEYS("Token", "2099-01-01T00:00:00Z") };
	struct helper_s3 s3;

	start(&s3, &answer, 1);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", helper_server_url(s3.server, "/v1/keys?x=1"),
	       1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one", 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write_file("token", "pod-token\n"), 1);
	assert_keys(NULL, "AK1", "s1", "t1", "container");
	assert_string_equal(helper_s3_request_line(&s3, 0), "GET /v1/keys?x=1 HTTP/1.1");
	assert_string_equal(helper_header(helper_server_request(s3.server, 0), "Authorization"),
			    "pod-token");
	helper_s3_stop(&s3);
}

#define STS(key, expiration) \
	"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
	"<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>t/+=</SessionToken>" \
	"<SecretAccessKey>s1</SecretAccessKey><Expiration>" expiration \
	"</Expiration><AccessKeyId>" key \
	"</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></" \
	"AssumeRoleWithWebIdentityResponse>"

static void test_aws__a_web_identity_is_taken_to_sts(void **state)
{
	static const struct helper_answer answer = { 200, NULL,
						     STS("ASIA1", "2099-01-01T00:00:00Z") };
	struct helper_s3 s3;

	start(&s3, &answer, 1);
	setenv("AWS_ENDPOINT_URL_STS", helper_server_url(s3.server, "/"), 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_file("token", "ey.J+\n"), 1);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/calls", 1);
	assert_keys(NULL, "ASIA1", "s1", "t/+=", "web identity");
	assert_string_equal(helper_s3_request_line(&s3, 0), "POST / HTTP/1.1");
	assert_string_equal(helper_server_request(s3.server, 0)->body,
			    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%"
			    "3Aiam%3A%3A1%3Arole%2Fcalls"
			    "&RoleSessionName=tonicfs&WebIdentityToken=ey.J%2B");
	assert_null(helper_header(helper_server_request(s3.server, 0), "Authorization"));
	helper_s3_stop(&s3);
}

static void test_aws__a_refusal_of_sts_is_told(void **state)
{
	static const struct helper_answer answer = {
		400, NULL,
		"<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>"
	};
	struct helper_s3 s3;

	start(&s3, &answer, 1);
	setenv("AWS_ENDPOINT_URL_STS", helper_server_url(s3.server, "/"), 1);
	write_file("token", "ey");
	write_file(".aws/config",
		   "[profile w]\nrole_arn = r\nweb_identity_token_file = /nowhere/at/all\n");
	assert_refused("w", "/nowhere/at/all");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_file("token", "ey"), 1);
	setenv("AWS_ROLE_ARN", "r", 1);
	assert_refused(NULL, "STS answered 400 ExpiredTokenException");
	helper_s3_stop(&s3);
}

/* ---- renewing ---- */

/* Keys that end `secs` from now. */
static void sts_answer(char *space, size_t size, const char *key, int secs)
{
	char expiration[TIME_ISO8601_SIZE];

	time_format_iso8601(time_now_secs() + secs, expiration);
	snprintf(space, size,
		 "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
		 "<AccessKeyId>%s</AccessKeyId>"
		 "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
		 "SessionToken><Expiration>%s</Expiration></Credentials>"
		 "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
		 key, expiration);
}

static void use_sts(struct helper_s3 *s3)
{
	setenv("AWS_ENDPOINT_URL_STS", helper_server_url(s3->server, "/"), 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_file("token", "ey"), 1);
	setenv("AWS_ROLE_ARN", "r", 1);
}

static void test_aws__keys_are_renewed_before_they_run_out(void **state)
{
	char first[1024], second[1024];
	struct helper_answer answers[] = { { 200, NULL, first }, { 200, NULL, second } };
	struct helper_s3 s3;

	/* Less than a quarter of four seconds is left after three: well before the end. */
	sts_answer(first, sizeof first, "OLD", 4);
	sts_answer(second, sizeof second, "NEW", 3600);
	start(&s3, answers, 2);
	use_sts(&s3);
	for (int tries = 0; helper_server_requests(s3.server) < 2; tries++) {
		cleanup_credentials struct aws_credentials c = { .access_key = NULL };
		struct remote_error error;

		assert_int_equal(get(NULL, &c, &error), 0);
		assert_true(tries < 200);
		if (helper_server_requests(s3.server) == 1)
			assert_string_equal(c.access_key, "OLD");
		usleep(50000);
	}
	assert_keys(NULL, "NEW", "s", "t", "web identity");
	assert_int_equal(helper_server_requests(s3.server), 2);
	helper_s3_stop(&s3);
}

static void test_aws__a_renewal_that_fails_leaves_keys_that_are_good(void **state)
{
	cleanup_credentials struct aws_credentials c = { .access_key = NULL };
	char first[1024];
	struct helper_answer answers[] = { { 200, NULL, first }, { 500, NULL, "" } };
	struct remote_error error;
	struct aws_source *source;
	struct helper_s3 s3;

	sts_answer(first, sizeof first, "OLD", 3600);
	start(&s3, answers, 2);
	use_sts(&s3);
	assert_keys(NULL, "OLD", "s", "t", "web identity");
	assert_int_equal(aws_source_get(NULL, &source), 0);
	assert_int_equal(aws_source_credentials(source, NULL, &c, &error), 0);
	aws_source_distrust(source, &c);
	aws_source_unref(source);
	assert_keys(NULL, "OLD", "s", "t", "web identity");
	assert_int_equal(helper_server_requests(s3.server), 2);
	/* And is not tried again at once. */
	assert_keys(NULL, "OLD", "s", "t", "web identity");
	assert_int_equal(helper_server_requests(s3.server), 2);
	helper_s3_stop(&s3);
}

static void test_aws__who_waited_for_a_try_that_failed_does_not_try_again_at_once(void **state)
{
	static const struct helper_answer answer = { 503, NULL, "" };
	struct remote_error error;
	struct aws_credentials c;
	struct helper_s3 s3;

	start(&s3, &answer, 1);
	use_sts(&s3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(get(NULL, &c, &error), -EACCES);
		assert_int_equal(error.kind, REMOTE_TRANSIENT);
		assert_non_null(strstr(error.message, "STS answered 503"));
	}
	assert_int_equal(helper_server_requests(s3.server), 1);
	helper_s3_stop(&s3);
}

/* The same server plays both: the keys' and the bucket's. */
static void test_aws__an_expired_session_is_renewed_and_the_request_sent_again(void **state)
{
	char first[1024], second[1024];
	struct helper_answer answers[] = {
		{ 200, NULL, first },
		{ 400, NULL, "<Error><Code>ExpiredToken</Code></Error>" },
		{ 200, NULL, second },
		{ 204, NULL, "" },
	};
	struct aws_source *source;
	struct remote_error error;
	struct helper_s3 s3;
	struct s3_client *client;
	struct s3_settings settings = { .bucket = "bucket" };
	char endpoint[64];

	sts_answer(first, sizeof first, "OLD", 3600);
	sts_answer(second, sizeof second, "NEW", 3600);
	start(&s3, answers, 4);
	use_sts(&s3);
	snprintf(endpoint, sizeof endpoint, "%s", helper_server_url(s3.server, ""));
	assert_int_equal(aws_source_get(NULL, &source), 0);
	settings.endpoint = endpoint;
	settings.credentials = source;
	assert_int_equal(s3_client_new(s3.http, &settings, &client), 0);
	aws_source_unref(source);
	assert_int_equal(s3_delete_object(client, "key", NULL, &error), 0);
	assert_non_null(strstr(helper_header(helper_server_request(s3.server, 1), "Authorization"),
			       "Credential=OLD/"));
	assert_non_null(strstr(helper_header(helper_server_request(s3.server, 3), "Authorization"),
			       "Credential=NEW/"));
	assert_string_equal(
		helper_header(helper_server_request(s3.server, 3), "x-amz-security-token"), "t");
	assert_non_null(strstr(helper_header(helper_server_request(s3.server, 3), "Authorization"),
			       "x-amz-security-token"));
	s3_client_free(client);
	helper_s3_stop(&s3);
}

static void *renew(void *arg)
{
	cleanup_credentials struct aws_credentials c = { .access_key = NULL };
	struct remote_error error;

	assert_int_equal(aws_source_credentials(arg, NULL, &c, &error), 0);
	assert_string_equal(c.access_key, "NEW");
	return NULL;
}

/* The command hangs as long as there is a file "hold", and says "asked" before. */
static void test_aws__who_has_good_keys_does_not_wait_for_others(void **state)
{
	static const char keys[] =
		"{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\","
		"\"Expiration\":\"2099-01-01T00:00:00Z\"}";
	struct aws_credentials c;
	struct aws_source *source;
	struct remote_error error;
	char config[1024], text[256], asked[128], hold[128];
	pthread_t thread;
	bool is_due;

	snprintf(asked, sizeof asked, "%s/asked", folder);
	snprintf(hold, sizeof hold, "%s", write_file("hold", ""));
	remove(hold);
	snprintf(text, sizeof text, keys, "OLD");
	write_file("keys", text);
	snprintf(
		config, sizeof config,
		"[profile p]\ncredential_process = >%s; while test -e %s; do sleep 0.05; done; cat "
		"%s/keys\n",
		asked, hold, folder);
	write_file(".aws/config", config);
	assert_int_equal(aws_source_get("p", &source), 0);
	assert_int_equal(aws_source_peek(source, &c, &is_due), -EAGAIN);
	assert_int_not_equal(access(asked, F_OK), 0);
	assert_keys("p", "OLD", "s", NULL, "credential_process");

	write_file("hold", "");
	snprintf(text, sizeof text, keys, "NEW");
	write_file("keys", text);
	remove(asked);
	assert_int_equal(aws_source_peek(source, &c, &is_due), 0);
	assert_false(is_due);
	aws_source_distrust(source, &c);
	aws_credentials_release(&c);
	assert_int_equal(aws_source_peek(source, &c, &is_due), 0);
	assert_true(is_due);
	aws_credentials_release(&c);
	assert_int_equal(pthread_create(&thread, NULL, renew, source), 0);
	for (unsigned i = 0; access(asked, F_OK) && i < 400; i++)
		usleep(50000);
	assert_int_equal(access(asked, F_OK), 0);
	assert_int_equal(aws_source_peek(source, &c, &is_due), 0);
	assert_false(is_due); /* somebody does it */
	aws_credentials_release(&c);
	assert_int_equal(aws_source_credentials(source, NULL, &c, &error), 0);
	assert_string_equal(c.access_key, "OLD");
	aws_credentials_release(&c);
	remove(hold);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_keys("p", "NEW", "s", NULL, "credential_process");
	aws_source_unref(source);
}

struct impatient {
	struct aws_source *source;
	struct cancel cancel;
	struct remote_error error;
	int result;
};

static void *ask_impatiently(void *arg)
{
	struct impatient *i = arg;
	struct aws_credentials c;

	i->result = aws_source_credentials(i->source, &i->cancel, &c, &i->error);
	aws_credentials_release(&c);
	return NULL;
}

/* One runs the command, the other waits for it: for both it is over at once, and no failure of the
 * source's that a third would be told. */
static void test_aws__a_wait_for_keys_ends_when_it_is_cancelled(void **state)
{
	struct impatient one = { .result = 0 }, other = { .result = 0 };
	struct aws_source *source;
	pthread_t threads[2];
	char config[512], asked[128], hold[128];

	snprintf(asked, sizeof asked, "%s/asked", folder);
	snprintf(hold, sizeof hold, "%s", write_file("hold", ""));
	snprintf(config, sizeof config,
		 "[profile slow]\ncredential_process = >%s; while test -e %s; do sleep 0.05; done; "
		 "echo '{\"Version\":1,\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"s\"}'\n",
		 asked, hold);
	write_file(".aws/config", config);
	remove(asked);
	assert_int_equal(aws_source_get("slow", &source), 0);
	one.source = other.source = source;
	assert_int_equal(pthread_create(&threads[0], NULL, ask_impatiently, &one), 0);
	for (unsigned i = 0; access(asked, F_OK) && i < 400; i++)
		usleep(50000);
	assert_int_equal(access(asked, F_OK), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, ask_impatiently, &other), 0);
	cancel_set(&other.cancel);
	assert_int_equal(pthread_join(threads[1], NULL), 0);
	cancel_set(&one.cancel);
	assert_int_equal(pthread_join(threads[0], NULL), 0);
	assert_int_equal(one.result, -ECANCELED);
	assert_int_equal(one.error.kind, REMOTE_CANCELLED);
	assert_int_equal(other.result, -ECANCELED);
	assert_int_equal(other.error.kind, REMOTE_CANCELLED);
	remove(hold);
	assert_keys("slow", "K", "s", NULL, "credential_process");
	aws_source_unref(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_aws__the_environment_goes_before_the_files),
		TEST(test_aws__half_a_key_in_the_environment_is_no_reason_to_look_further),
		TEST(test_aws__the_credentials_file_goes_before_the_config_file),
		TEST(test_aws__the_files_may_be_elsewhere),
		TEST(test_aws__profiles_that_are_not_known_here_say_what_to_do),
		TEST(test_aws__a_command_gives_keys),
		TEST(test_aws__a_command_that_others_could_have_written_is_not_run),
		TEST(test_aws__an_instance_is_asked_as_imdsv2_wants_it),
		TEST(test_aws__an_instance_without_a_role_is_told),
		TEST(test_aws__no_token_goes_in_the_clear_to_another_machine),
		TEST(test_aws__a_containers_agent_gets_its_token),
		TEST(test_aws__a_web_identity_is_taken_to_sts),
		TEST(test_aws__a_refusal_of_sts_is_told),
		TEST(test_aws__keys_are_renewed_before_they_run_out),
		TEST(test_aws__a_renewal_that_fails_leaves_keys_that_are_good),
		TEST(test_aws__who_waited_for_a_try_that_failed_does_not_try_again_at_once),
		TEST(test_aws__an_expired_session_is_renewed_and_the_request_sent_again),
		TEST(test_aws__who_has_good_keys_does_not_wait_for_others),
		TEST(test_aws__a_wait_for_keys_ends_when_it_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
